// A part of the page was asked for and did not come: without this nothing would tell.
for (const event of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(event, () => {
    const failed = document.getElementById("failed");
    if (failed) failed.hidden = false;
  });
}
document.addEventListener("htmx:afterSwap", () => {
  const failed = document.getElementById("failed");
  if (failed) failed.hidden = true;
});
