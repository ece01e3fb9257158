// What scripts share that tests run outside a browser.

declare const process: {
  stdin: AsyncIterable<string> & { setEncoding(encoding: string): void }
  stdout: { write(text: string): void }
}

/** answer reads JSON from standard input, and writes what act makes of it. */
export async function answer<In>(act: (input: In) => unknown): Promise<void> {
  let input = ""
  process.stdin.setEncoding("utf8")
  for await (const part of process.stdin) input += part
  process.stdout.write(JSON.stringify(act(JSON.parse(input) as In)))
}
