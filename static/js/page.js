// What every page has: theme, menus, toasts, the search key, the figures in the header.
import { startFigures } from "./figures.js";
import { startMenus } from "./menus.js";
import { startPrintList } from "./print-list.js";
import { startSearchKey } from "./search-key.js";
import { startSearchResults } from "./search-results.js";
import { startShortcuts } from "./shortcuts.js";
import { startTheme } from "./theme.js";
import { startToasts } from "./toasts.js";

startTheme();
startMenus();
startToasts();
startSearchKey();
startSearchResults();
startShortcuts();
startFigures();
startPrintList();
