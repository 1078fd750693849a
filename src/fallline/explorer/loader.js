// Unpacks the page's code and runs it. Its address also serves the page's workers.
const packed = Uint8Array.from(atob(document.getElementById("fallline-code").textContent), (c) => c.charCodeAt(0));
const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
new Response(unpacked).text().then((code) => {
  const script = document.createElement("script");
  script.src = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  // The policy of a notebook around the page may allow code, but no addresses of it, nor workers then.
  script.onerror = () => {
    try {
      (0, eval)(code);
    } catch (error) {
      if (!(error instanceof EvalError)) throw error;
      document.querySelector("h1").after("The policy of what is around this page allows none of its code.");
    }
  };
  document.body.append(script);
});
