// The theme button without a round trip; the server reads the same cookie.
const YEAR = 365 * 24 * 60 * 60;

export function startTheme() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".theme-form")) return;
    event.preventDefault();
    const theme = event.submitter.value;
    document.documentElement.dataset.theme = theme;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
    event.target.querySelector(`button:not([value="${theme}"])`).focus();
  });
}
