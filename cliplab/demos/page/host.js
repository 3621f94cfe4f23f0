// Turns the recorded frames of a published page into live demos when the reader comes near them.
// A demo is a module to anywidget's contract; here its model is an object of the page, and a
// worker answers what a notebook's kernel would.

(() => {
  const script = document.currentScript;
  const beside = (path) => new URL(path + new URL(script.src).search, script.src).href;
  const FROM_FILE =
    "This page was opened as a file, and browsers load no models from files. Serve " +
    "the folder instead: python -m http.server -d _build/html, then open http://localhost:8000.";

  let worker;
  let asked = 0;
  const waiting = new Map();

  /** Sends a message to the worker; `then` is called with its reply. */
  function ask(message, buffers, then) {
    if (!worker) {
      worker = new Worker(beside("worker.js"), { type: "module" });
      worker.onmessage = ({ data: { reply, buffers: found } }) => {
        const { id, then: answer } = waiting.get(reply.id);
        waiting.delete(reply.id);
        answer({ ...reply, id }, found);
      };
      worker.onerror = () => {
        const error = "The part that computes could not be started.";
        for (const { id, then: answer } of waiting.values()) answer({ id, error }, []);
        waiting.clear();
      };
    }
    const ticket = asked++; // several demos number their messages, each from 0
    waiting.set(ticket, { id: message.id, then });
    worker.postMessage({ message: { ...message, id: ticket }, buffers });
  }

  /** anywidget's model, without a kernel. */
  function pageModel(state) {
    const values = { ...state };
    const heard = new Map();
    const emit = (event, ...what) => (heard.get(event) ?? []).forEach((call) => call(...what));
    return {
      onPage: true,
      get: (name) => values[name],
      set(name, value) {
        values[name] = value;
        emit(`change:${name}`);
      },
      save_changes() {},
      on: (event, call) => heard.set(event, [...(heard.get(event) ?? []), call]),
      off: (event, call) =>
        heard.set(
          event,
          (heard.get(event) ?? []).filter((one) => call && one !== call),
        ),
      send: (message, _callbacks, buffers = []) =>
        ask(message, buffers, (reply, found) => emit("msg:custom", reply, found)),
    };
  }

  async function mount(place) {
    const { demo, fields, state } = place.dataset;
    const still = place.querySelector(".cld-still");
    const live = document.createElement("div");
    try {
      const model = pageModel({
        ...JSON.parse(state),
        _fields: JSON.parse(fields),
        _name: demo,
      });
      const { default: widget } = await import(beside(`${demo}.js`));
      await widget.render({ model, el: live });
      place.replaceChildren(live);
      place.dataset.ready = "live";
    } catch (error) {
      const why = location.protocol === "file:" ? FROM_FILE : error.message;
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
        mount(target);
      }
    },
    { rootMargin: "200px" },
  );
  document.querySelectorAll(".cld[data-demo]").forEach((place) => near.observe(place));
})();
