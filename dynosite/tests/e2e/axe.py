"""Accessibility faults that axe-core finds on a page."""

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """One line a fault: the rule, how many elements, the first of them. The policy of the page is left as it is."""
    page.evaluate(AXE.read_text())
    report = page.evaluate("tags => axe.run(document, {runOnly: tags})", TAGS)
    return [
        f"{fault['id']} ({len(fault['nodes'])}): {fault['nodes'][0]['target']} {fault['nodes'][0]['failureSummary']}"
        for fault in report["violations"]
    ]
