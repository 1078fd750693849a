"use strict";
// A surface and the paths on it, in WebGL2: the box is 2 wide and deep around the middle, heights go from 0 to 1.
const HEIGHT = 1, FLOOR = -0.6, FAINT = 0.35, NEAREST = 3, FARTHEST = 16;
const GROUND = [`#version 300 es
in vec3 place; in vec3 normal; in float level; uniform mat4 camera; uniform float flatness; out vec3 up; out float share;
void main() {
  gl_Position = camera * vec4(place.xy, mix(place.z, ${FLOOR.toFixed(2)}, flatness), 1);
  up = mix(normal, vec3(0, 0, 1), flatness);
  share = level;
}`, `#version 300 es
precision highp float;
in vec3 up; in float share; uniform sampler2D colours; uniform float bands; uniform float dark; out vec4 colour;
void main() {
  vec3 own = texture(colours, vec2(clamp(share, 0., 1.), .5)).rgb;
  float light = .78 + .22 * abs(dot(normalize(up), normalize(vec3(-.4, .5, .8))));
  float at = share * bands, line = smoothstep(0., 1.2 * fwidth(at), min(fract(at), 1. - fract(at)));
  colour = vec4(mix(mix(own * .86, own + .06, dark), own, line) * light, 1);
}`];
const LINE = [`#version 300 es
in vec3 from; in vec3 to; uniform mat4 camera; uniform vec2 size; uniform float width; uniform float flatness;
void main() {
  vec3 lower = vec3(1, 1, 1. - flatness), down = vec3(0, 0, ${FLOOR.toFixed(2)} * flatness);
  vec4 a = camera * vec4(from * lower + down, 1), b = camera * vec4(to * lower + down, 1);
  vec2 along = (b.xy / b.w - a.xy / a.w) * size;
  vec2 side = length(along) > 0. ? normalize(vec2(-along.y, along.x)) : vec2(0, 1);
  gl_Position = gl_VertexID < 2 ? a : b;
  gl_Position.xy += side * (gl_VertexID % 2 == 0 ? width : -width) / size * gl_Position.w;
  gl_Position.z -= .003 * gl_Position.w;
}`, `#version 300 es
precision highp float; uniform vec4 own; out vec4 colour;
void main() { colour = own; }`];
const DOT = [`#version 300 es
in vec3 at; in vec3 tint; uniform mat4 camera; uniform vec2 size; uniform float width; out vec2 corner; out vec3 own;
void main() {
  corner = vec2(gl_VertexID % 2 == 0 ? -1. : 1., gl_VertexID < 2 ? -1. : 1.);
  own = tint;
  gl_Position = camera * vec4(at, 1);
  gl_Position.xy += corner * width / size * gl_Position.w;
  gl_Position.z -= .005 * gl_Position.w;
}`, `#version 300 es
precision highp float; in vec2 corner; in vec3 own; uniform vec4 rim; out vec4 colour;
void main() {
  if (length(corner) > 1.) discard;
  colour = vec4(mix(own, rim.rgb, rim.a), 1);
}`];

class Surface {
  /** A surface drawn on a canvas; null where the browser has no WebGL2. */
  static on(canvas) {
    // Its drawing is kept, so that the page can be saved as a picture.
    const gl = canvas.getContext("webgl2", {antialias: true, preserveDrawingBuffer: true});
    return gl && new Surface(canvas, gl);
  }

  constructor(canvas, gl) {
    this.canvas = canvas;
    this.gl = gl;
    this.azimuth = -1.05;
    this.elevation = 0.6;
    this.distance = 7;
    [this.ground, this.line, this.dot] = [GROUND, LINE, DOT].map(sources => this.program(sources));
    gl.enable(gl.DEPTH_TEST);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  program(sources) {
    const gl = this.gl, made = gl.createProgram();
    sources.forEach((source, number) => {
      const shader = gl.createShader(number ? gl.FRAGMENT_SHADER : gl.VERTEX_SHADER);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(made, shader);
    });
    gl.linkProgram(made);
    if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
    return made;
  }

  buffer(numbers, kind = this.gl.ARRAY_BUFFER) {
    const gl = this.gl, made = gl.createBuffer();
    gl.bindBuffer(kind, made);
    gl.bufferData(kind, numbers, gl.STATIC_DRAW);
    return made;
  }

  /** Take heights from 0 to 1, and the levels of colour there, row by row; NaN where there is no surface. */
  raise(heights, levels, columns, rows) {
    const corners = new Float32Array(7 * columns * rows), triangles = [];
    const at = (i, j, own) => {
      const found = heights[Math.min(Math.max(j, 0), rows - 1) * columns + Math.min(Math.max(i, 0), columns - 1)];
      return Number.isNaN(found) ? own : found;
    };
    for (let j = 0, k = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++, k++) {
        const z = heights[k], east = (at(i + 1, j, z) - at(i - 1, j, z)) * (columns - 1) / 4;
        const north = (at(i, j + 1, z) - at(i, j - 1, z)) * (rows - 1) / 4;
        corners.set([2 * i / (columns - 1) - 1, 2 * j / (rows - 1) - 1, z * HEIGHT, -east, -north, 1, levels[k]], 7 * k);
        if (i === columns - 1 || j === rows - 1) continue;
        const four = [k, k + 1, k + columns, k + columns + 1];
        if (four.every(corner => !Number.isNaN(heights[corner])))
          triangles.push(four[0], four[1], four[2], four[1], four[3], four[2]);
      }
    }
    this.corners = this.buffer(corners);
    this.triangles = this.buffer(new Uint32Array(triangles), this.gl.ELEMENT_ARRAY_BUFFER);
    this.count = triangles.length;
  }

  /** Take the colours of the bands, from the lowest to the highest, each as three numbers up to 255. */
  paint(bands, dark) {
    const gl = this.gl;
    this.bands = bands.length;
    this.dark = dark;
    gl.bindTexture(gl.TEXTURE_2D, this.texture ??= gl.createTexture());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, bands.length, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, new Uint8Array(bands.flat()));
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  }

  /** A path to draw: its places in the box and, unless they are joined only, the colours of its points. */
  path(places, tints) {
    const finite = places.map(place => place.every(Number.isFinite));
    const both = places.map((_, i) => i > 0 && finite[i] && finite[i - 1]);
    const running = marks => { let sum = 0; return marks.map(mark => sum += mark); };
    return {
      parts: this.buffer(new Float32Array(places.flatMap((place, i) => both[i] ? [...places[i - 1], ...place] : []))),
      partsAt: running(both),
      dots: tints && this.buffer(new Float32Array(places.flatMap((place, i) => finite[i] ? [...place, ...tints[i]] : []))),
      dotsAt: running(finite),
    };
  }

  /** Clear the canvas, at the size of the page, and draw the surface above its shadow on the floor. */
  draw(ratio, ground) {
    const {gl, canvas} = this;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    this.ratio = ratio;
    this.look();
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(...ground, 1);
    gl.depthMask(true);
    gl.depthFunc(gl.LEQUAL);
    gl.disable(gl.BLEND);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    this.use(this.ground, {bands: this.bands, dark: this.dark ? 1 : 0});
    this.feed(this.ground, this.corners, 28, {place: [3, 0], normal: [3, 12], level: [1, 24]}, 0);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.triangles);
    for (const flatness of [1, 0]) {
      this.use(this.ground, {flatness});
      gl.drawElements(gl.TRIANGLES, this.count, gl.UNSIGNED_INT, 0);
    }
    gl.enable(gl.BLEND);
    gl.depthMask(false);
  }

  /** Draw the first points of a path: its shadow, what the surface hides of it, faint, and the rest. */
  trace(path, points, {colour, width, rim, dot}) {
    const {gl} = this, parts = path.partsAt[points - 1] ?? 0, dots = path.dotsAt[points - 1] ?? 0;
    const passes = [[1, gl.LEQUAL, 0.9], [0, gl.GREATER, FAINT], [0, gl.LEQUAL, 1]];
    for (const [flatness, depth, opacity] of passes) {
      gl.depthFunc(depth);
      const strokes = rim && !flatness ? [[rim, 2 * width], [colour, width]] : [[colour, Math.max(width, 2)]];
      for (const [own, wide] of strokes) {
        this.use(this.line, {flatness, width: wide * this.ratio, own: [...own, opacity]});
        this.feed(this.line, path.parts, 24, {from: [3, 0], to: [3, 12]}, 1);
        gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, parts);
      }
    }
    // All rims lie below all points, as these are close to each other.
    for (const [wide, tinted] of path.dots ? [[1.25, 1], [1, 0]] : []) {
      this.use(this.dot, {width: wide * dot * this.ratio, rim: [...colour, tinted]});
      this.feed(this.dot, path.dots, 24, {at: [3, 0], tint: [3, 12]}, 1);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, dots);
    }
  }

  /** Draw with a program; numbers and lists of numbers are given to it by their names. */
  use(program, given) {
    const gl = this.gl, place = name => gl.getUniformLocation(program, name);
    gl.useProgram(program);
    gl.uniformMatrix4fv(place("camera"), false, this.camera);
    gl.uniform2f(place("size"), this.canvas.width, this.canvas.height);
    for (const [name, value] of Object.entries(given)) gl[`uniform${value.length ?? 1}fv`](place(name), [value].flat());
  }

  feed(program, buffer, stride, columns, divisor) {
    const gl = this.gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    for (let number = 0; number < 4; number++) gl.disableVertexAttribArray(number);
    for (const [name, [size, offset]] of Object.entries(columns)) {
      const at = gl.getAttribLocation(program, name);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, gl.FLOAT, false, stride, offset);
      gl.vertexAttribDivisor(at, divisor);
    }
  }

  /** Set the matrix of the camera, which looks at the middle of the box. */
  look() {
    const [ca, sa] = [Math.cos(this.azimuth), Math.sin(this.azimuth)];
    const [ce, se] = [Math.cos(this.elevation), Math.sin(this.elevation)];
    const aspect = this.canvas.width / this.canvas.height, zoom = 3.9 * Math.min(1, aspect), [near, far] = [0.5, 25];
    const right = [-sa, ca, 0], up = [-se * ca, -se * sa, ce], ahead = [-ce * ca, -ce * sa, -se];
    const middle = (HEIGHT + FLOOR) / 2, steep = (far + near) / (far - near), [over, into] = [-up[2] * middle, -ahead[2] * middle];
    const depth = into + this.distance;
    this.camera = new Float32Array([
      ...[0, 1, 2].flatMap(k => [right[k] * zoom / aspect, up[k] * zoom, ahead[k] * steep, ahead[k]]),
      0, over * zoom, depth * steep - 2 * far * near / (far - near), depth,
    ]);
  }

  /** Where a place in the box is on the canvas, in pixels of the page. */
  project([x, y, z]) {
    const m = this.camera, [u, v, , w] = [0, 1, 2, 3].map(k => m[k] * x + m[4 + k] * y + m[8 + k] * z + m[12 + k]);
    return [(u / w + 1) / 2 * this.canvas.clientWidth, (1 - v / w) / 2 * this.canvas.clientHeight];
  }

  /** Turn by drag, of a finger too, and by arrow keys; come nearer by wheel, by two fingers, and by + and −. */
  watch(canvas, changed) {
    const fingers = new Map();
    const turn = (across, upward) => {
      this.azimuth -= across * 0.008;
      this.elevation = Math.min(Math.max(this.elevation + upward * 0.006, 0.02), 1.55);
      changed();
    };
    const nearer = factor => {
      this.distance = Math.min(Math.max(this.distance / factor, NEAREST), FARTHEST);
      changed();
    };
    const apart = () => { const [a, b] = [...fingers.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
    });
    canvas.addEventListener("pointermove", event => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const distance = fingers.size === 2 ? apart() : 0;
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      if (distance) nearer(apart() / distance); else turn(event.clientX - before[0], event.clientY - before[1]);
    });
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, event => fingers.delete(event.pointerId));
    canvas.addEventListener("wheel", event => {
      event.preventDefault();
      nearer(Math.exp(-0.001 * event.deltaY));
    }, {passive: false});
    canvas.addEventListener("keydown", event => {
      const act = {ArrowLeft: () => turn(-12, 0), ArrowRight: () => turn(12, 0), ArrowUp: () => turn(0, -12),
                   ArrowDown: () => turn(0, 12), "+": () => nearer(1.1), "-": () => nearer(1 / 1.1)}[event.key];
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      act();
    });
  }
}
