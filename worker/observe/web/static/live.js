// Fetches the changing part of a page again every few seconds; without it the page shows
// the moment at which it was loaded. Nothing is fetched while the page cannot be seen.
"use strict";
(() => {
  const part = document.querySelector("[data-live]");
  if (!part) return;
  const seconds = Number(part.dataset.every) || 5;
  let tag = "";
  let failures = 0;

  const busy = () => part.contains(document.activeElement) || part.querySelector("details[open]");

  async function again() {
    if (!document.hidden && !busy()) {
      try {
        const headers = tag ? { "If-None-Match": tag } : {};
        const answer = await fetch(part.dataset.live, { headers, credentials: "same-origin" });
        if (answer.status === 401) { location.reload(); return; }
        if (answer.ok) {
          tag = answer.headers.get("ETag") || "";
          const text = await answer.text();
          if (!busy()) part.innerHTML = text;
        }
        failures = answer.ok || answer.status === 304 ? 0 : failures + 1;
      } catch {
        failures += 1;
      }
      part.classList.toggle("stale", failures > 1);
    }
    setTimeout(again, seconds * 1000 * Math.min(1 + failures, 6));
  }
  setTimeout(again, seconds * 1000);
})();
