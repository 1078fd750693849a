// Firefox, as the system has it installed; FALLLINE_FIREFOX names its program.
import puppeteer from "puppeteer-core";

export function firefox() {
  return puppeteer.launch({ browser: "firefox", executablePath: process.env.FALLLINE_FIREFOX, headless: true });
}
