// The search, in a page that was opened from a file: browsers start no worker from there, so a hidden frame takes its place.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inner = frame.contentWindow;
      this.ready = new Promise((resolve) => {
        const load = (...urls) =>
          urls.reduce(
            (before, each) =>
              before.then(
                () =>
                  new Promise((done, failed) => {
                    const script = inner.document.createElement("script");
                    Object.assign(script, { src: each, onload: done, onerror: failed });
                    inner.document.head.append(script);
                  }),
              ),
            Promise.resolve(),
          );
        inner.importScripts = load;
        inner.postMessage = (data) => this.told(data);
        load(new URL(url, document.baseURI).href).then(() => resolve(inner));
      });
    }
    told(data) {
      const event = new MessageEvent("message", { data });
      this.onmessage?.(event);
      this.dispatchEvent(event);
    }
    postMessage(data) {
      this.ready.then((inner) => inner.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {}
  };
}
