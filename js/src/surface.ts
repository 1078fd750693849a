// The landscape as a lit surface in WebGL2, with the paths on it: faint where the hill hides them.
import { element } from "./dom.ts";
import { watchGestures, watchKeys } from "./gestures.ts";
import { type Landscape, LEVELS, shareOf } from "./landscape.ts";
import { clamp } from "./numbers.ts";
import { numbersOf, type Palette, ramp } from "./palette.ts";
import { rowAt, type Scene, type ShownRun } from "./scene.ts";

/** The height of the highest point shown; the sides are 2 long. */
const HEIGHT = 0.9;
/** How far a path floats above the surface, so that it is not cut by it. */
const LIFT = 0.008;

const GROUND_VERTEX = `#version 300 es
in vec3 place; in vec3 normal; uniform mat4 camera; out vec3 up; out float height;
void main() { gl_Position = camera * vec4(place, 1); up = normal; height = place.z; }`;
const GROUND_FRAGMENT = `#version 300 es
precision highp float; in vec3 up; in float height; out vec4 colour; uniform sampler2D ramp; uniform float lines;
void main() {
  float share = clamp(height / ${HEIGHT.toFixed(2)}, 0., 1.);
  vec3 n = normalize(up);
  float light = .72 + .28 * max(0., dot(n, normalize(vec3(-.5, .45, .9))));
  vec3 own = texture(ramp, vec2(share, .5)).rgb * light;
  float band = fract(share * ${LEVELS}. + .5) - .5;
  float line = 1. - smoothstep(0., fwidth(share * ${LEVELS}.) * 1.1, abs(band));
  colour = vec4(mix(own, own * lines, .5 * line), 1);
}`;
const PATH_VERTEX = `#version 300 es
in vec3 from; in vec3 to; in vec2 corner; uniform mat4 camera; uniform vec2 size; uniform float width;
void main() {
  vec4 a = camera * vec4(from, 1), b = camera * vec4(to, 1);
  vec2 along = (b.xy / b.w - a.xy / a.w) * size;
  vec2 side = length(along) > 0. ? normalize(vec2(-along.y, along.x)) : vec2(1, 0);
  vec4 end = corner.x < .5 ? a : b;
  gl_Position = end + vec4((side * corner.y * width / size) * end.w, 0, 0);
}`;
const PATH_FRAGMENT = `#version 300 es
precision highp float; uniform vec4 own; out vec4 colour;
void main() { colour = own; }`;

export class Surface {
  readonly element: HTMLElement;
  private readonly canvas = element("canvas", { class: "figure surface", role: "img", tabindex: 0 });
  /** Begun when it is first wanted, which takes a while; null where the browser has no WebGL 2. */
  private gl: WebGL2RenderingContext | null | undefined;
  private ground: WebGLProgram | null = null;
  private path: WebGLProgram | null = null;
  private count = 0;
  private land: Landscape | null = null;
  private scene: Scene | null = null;
  private azimuth = -1.05;
  private elevation = 0.66;
  private distance = 2.9;

  constructor(label: string) {
    this.canvas.setAttribute("aria-label", label);
    this.element = element("div", { class: "plot" }, this.canvas);
    this.watch();
  }

  /** Whether the browser can draw it, as far as is known. */
  get possible(): boolean {
    return this.gl !== null && typeof WebGL2RenderingContext === "function";
  }

  /** Get ready to draw; whether that is possible. */
  begin(): boolean {
    if (this.gl === undefined) {
      this.gl = this.canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true });
      if (this.gl) {
        this.ground = program(this.gl, GROUND_VERTEX, GROUND_FRAGMENT);
        this.path = program(this.gl, PATH_VERTEX, PATH_FRAGMENT);
      }
    }
    return this.gl !== null;
  }

  get picture(): HTMLCanvasElement {
    return this.canvas;
  }

  /** Take a landscape: its heights and their colours. */
  show(land: Landscape, palette: Palette): void {
    this.land = land;
    const gl = this.gl;
    if (!gl) return;
    const { columns, rows } = land;
    const z = land.share.map((share) => (Number.isNaN(share) ? HEIGHT : share * HEIGHT));
    const corners = new Float32Array(columns * rows * 6);
    for (let j = 0, k = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++, k++) {
        const east = z[k + (i < columns - 1 ? 1 : 0)]! - z[k - (i ? 1 : 0)]!;
        const north = z[k - (j ? columns : 0)]! - z[k + (j < rows - 1 ? columns : 0)]!;
        const place = [-1 + (2 * i) / (columns - 1), 1 - (2 * j) / (rows - 1), z[k]!];
        corners.set([...place, (-east * (columns - 1)) / 4, (-north * (rows - 1)) / 4, 1], 6 * k);
      }
    }
    const triangles = new Uint32Array((columns - 1) * (rows - 1) * 6);
    for (let j = 0, k = 0; j < rows - 1; j++) {
      for (let i = 0; i < columns - 1; i++, k += 6) {
        const a = j * columns + i;
        triangles.set([a, a + columns, a + 1, a + 1, a + columns, a + columns + 1], k);
      }
    }
    this.count = triangles.length;
    fill(gl, "ground", gl.ARRAY_BUFFER, corners, this.buffers);
    fill(gl, "triangles", gl.ELEMENT_ARRAY_BUFFER, triangles, this.buffers);
    this.texture ??= gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, 256, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, ramp(palette.heights, 256));
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  }

  private readonly buffers = new Map<string, WebGLBuffer>();
  private texture: WebGLTexture | null = null;

  draw(scene: Scene): void {
    this.scene = scene;
    const { gl, canvas, land } = this;
    if (!gl || !land || !canvas.clientWidth) return;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
    gl.viewport(0, 0, canvas.width, canvas.height);
    const [red, green, blue] = numbersOf(scene.palette.ground);
    gl.clearColor(red / 255, green / 255, blue / 255, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    const camera = this.camera(canvas.width / canvas.height);
    this.drawGround(gl, camera, scene.palette);
    this.drawPaths(gl, camera, scene, land);
  }

  private drawGround(gl: WebGL2RenderingContext, camera: Float32Array, palette: Palette): void {
    const ground = this.ground!;
    gl.useProgram(ground);
    gl.uniformMatrix4fv(gl.getUniformLocation(ground, "camera"), false, camera);
    gl.uniform1f(gl.getUniformLocation(ground, "lines"), palette.dark ? 1.5 : 0.7);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.get("ground")!);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.get("triangles")!);
    point(gl, ground, "place", 3, 24, 0);
    point(gl, ground, "normal", 3, 24, 12);
    gl.depthFunc(gl.LESS);
    gl.depthMask(true);
    gl.disable(gl.BLEND);
    gl.drawElements(gl.TRIANGLES, this.count, gl.UNSIGNED_INT, 0);
  }

  private drawPaths(gl: WebGL2RenderingContext, camera: Float32Array, scene: Scene, land: Landscape): void {
    const path = this.path!;
    gl.useProgram(path);
    gl.uniformMatrix4fv(gl.getUniformLocation(path, "camera"), false, camera);
    gl.uniform2f(gl.getUniformLocation(path, "size"), this.canvas.width, this.canvas.height);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
    gl.depthMask(false);
    for (const shown of scene.runs) {
      const ends = segments(shown, scene, land);
      fill(gl, "path", gl.ARRAY_BUFFER, ends, this.buffers);
      point(gl, path, "from", 3, 32, 0);
      point(gl, path, "to", 3, 32, 12);
      point(gl, path, "corner", 2, 32, 24);
      const [red, green, blue] = numbersOf(scene.palette.runs[shown.look]!);
      for (const [depth, opacity] of [
        [gl.GREATER, 0.22],
        [gl.LEQUAL, 1],
      ] as const) {
        gl.depthFunc(depth);
        gl.uniform1f(
          gl.getUniformLocation(path, "width"),
          (shown.entry === scene.active ? 3.4 : 2.6) * devicePixelRatio,
        );
        gl.uniform4f(gl.getUniformLocation(path, "own"), red / 255, green / 255, blue / 255, opacity);
        gl.drawArrays(gl.TRIANGLES, 0, ends.length / 8);
      }
    }
    gl.depthMask(true);
  }

  /** The matrix of a camera that looks at the middle. */
  private camera(aspect: number): Float32Array {
    const [ca, sa, ce, se] = [
      Math.cos(this.azimuth),
      Math.sin(this.azimuth),
      Math.cos(this.elevation),
      Math.sin(this.elevation),
    ];
    const [near, far, zoom] = [0.1, 20, 1.75 * Math.min(1, aspect)];
    // Right, up and forward.
    const axes = [
      [-sa, ca, 0],
      [-se * ca, -se * sa, ce],
      [-ce * ca, -ce * sa, -se],
    ] as const;
    const z = (far + near) / (far - near);
    const w = (-2 * far * near) / (far - near);
    const [right, up, forward] = axes.map(([, , third]) => -third * 0.3);
    const columns = [0, 1, 2].flatMap((k) => [
      (axes[0][k]! * zoom) / aspect,
      axes[1][k]! * zoom,
      axes[2][k]! * z,
      axes[2][k]!,
    ]);
    const depth = forward! + this.distance;
    return new Float32Array([...columns, (right! * zoom) / aspect, up! * zoom, depth * z + w, depth]);
  }

  /** Turn by drag and arrow keys, come nearer by wheel, two fingers and the keys + and −. */
  private watch(): void {
    const turn = (across: number, up: number) => {
      this.azimuth -= across * 0.008;
      this.elevation = clamp(this.elevation + up * 0.006, 0.05, 1.55);
      if (this.scene) this.draw(this.scene);
    };
    const zoom = (factor: number) => {
      this.distance = clamp(this.distance * factor, 1.6, 8);
      if (this.scene) this.draw(this.scene);
    };
    const nothing = () => {};
    watchGestures(this.canvas, { pan: turn, zoom, tap: nothing, hover: nothing, leave: nothing });
    watchKeys(this.canvas, { move: (across, down) => turn(8 * across, -8 * down), zoom });
  }
}

/** Two triangles for each step of a run inside the box: its two ends, and which corner. */
function segments({ run }: ShownRun, scene: Scene, land: Landscape): Float32Array {
  const [left, right, bottom, top] = land.box;
  const last = rowAt(run, scene.at);
  const ends = new Float32Array(last * 48);
  const place = (row: number) => [
    (2 * (run.x[row * run.dimension + scene.axes[0]]! - left)) / (right - left) - 1,
    (2 * (run.x[row * run.dimension + scene.axes[1]]! - bottom)) / (top - bottom) - 1,
    shareOf(land, run.value[row]!) * HEIGHT + LIFT,
  ];
  const inside = ([x, y]: number[]) => Math.abs(x!) <= 1 && Math.abs(y!) <= 1;
  const corners = [0, 1, 0, -1, 1, 1, 1, 1, 0, -1, 1, -1];
  let from = place(0);
  let k = 0;
  for (let row = 1; row <= last; row++) {
    const to = place(row);
    if (inside(from) && inside(to)) {
      for (let c = 0; c < 12; c += 2, k += 8) ends.set([...from, ...to, corners[c]!, corners[c + 1]!], k);
    }
    from = to;
  }
  return ends.subarray(0, k);
}

function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const made = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, vertex],
    [gl.FRAGMENT_SHADER, fragment],
  ] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) ?? "");
  return made;
}

function fill(
  gl: WebGL2RenderingContext,
  name: string,
  target: number,
  data: AllowSharedBufferSource,
  known: Map<string, WebGLBuffer>,
): void {
  const buffer = known.get(name) ?? gl.createBuffer();
  known.set(name, buffer);
  gl.bindBuffer(target, buffer);
  gl.bufferData(target, data, gl.DYNAMIC_DRAW);
}

function point(
  gl: WebGL2RenderingContext,
  of: WebGLProgram,
  name: string,
  size: number,
  stride: number,
  at: number,
): void {
  const place = gl.getAttribLocation(of, name);
  gl.enableVertexAttribArray(place);
  gl.vertexAttribPointer(place, size, gl.FLOAT, false, stride, at);
}
