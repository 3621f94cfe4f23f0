// @ts-check
// Turns the recorded frames of a published page into live demos when the reader comes near them.
// A demo is a module to anywidget's contract; here its model is an object of the page (model.js),
// and a worker answers what a notebook's kernel would (worker.js).
//
// This one file is no module: from a page that was opened as a file browsers load none, and
// someone has to say so.

(() => {
  const { src } = /** @type {HTMLScriptElement} */ (document.currentScript);
  const beside = (/** @type {string} */ path) => new URL(path + new URL(src).search, src).href;
  const FROM_FILE =
    "This page was opened as a file, and browsers load no models from files. Serve " +
    "the folder instead: python -m http.server -d _build/html, then open http://localhost:8000.";

  /**
   * Puts the live demo where its frame is. If that fails the frame stays, and a sentence says why.
   *
   * @param {HTMLElement} place
   */
  async function mount(place) {
    const { demo = "", fields = "{}", state = "{}" } = place.dataset;
    const live = document.createElement("div");
    try {
      if (location.protocol === "file:") throw new Error(FROM_FILE);
      const [{ pageModel }, { default: widget }] = await Promise.all([
        import(beside("model.js")),
        import(beside(`${demo}.js`)),
      ]);
      const model = pageModel({
        ...JSON.parse(state),
        _fields: JSON.parse(fields),
        _name: demo,
      });
      await widget.render({ model, el: live });
      place.replaceChildren(live);
      place.dataset.ready = "live";
    } catch (error) {
      const why = /** @type {Error} */ (error).message;
      const still = /** @type {HTMLElement} */ (place.querySelector(".cld-still"));
      still.textContent = `This demo could not be started, so you see its first picture. ${why}`;
      still.setAttribute("role", "alert");
      place.dataset.ready = "failed";
    }
  }

  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        mount(/** @type {HTMLElement} */ (target));
      }
    },
    { rootMargin: "200px" },
  );
  /** @type {NodeListOf<HTMLElement>} */
  const places = document.querySelectorAll(".cld[data-demo]");
  places.forEach((place) => near.observe(place));

  /** A link to a demo leads to where it stands. */
  function followLink() {
    const name = new URLSearchParams(location.hash.slice(1)).get("demo");
    const place = [...places].find(({ dataset }) => dataset.demo === name);
    if (!place) return;
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
    place.scrollIntoView();
  }
  addEventListener("hashchange", followLink);
  followLink();
})();
