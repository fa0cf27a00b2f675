import ArgumentParser
import EventModel
import EventStore

/// `recorder append`: events from standard input, one at a time, each acknowledged when it is durable.
struct AppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Appends events from standard input, one JSON object a line, and acknowledges each.",
        discussion: """
            Each line is an append of its own. It is acknowledged with stream, version and position once it is \
            durable, in the order of the lines and as they come. A line that breaks the contract ends the command with \
            status 1 and an error that names the line, the field and the reason: those before it are stored and \
            acknowledged, it and those after it are not. An event that its stream refuses (a wrong expected version) \
            is reported, the others go on, and the status is 1 at the end. An event with the same id as one in its \
            stream is not stored again: it is acknowledged with what it got the first time. If the database cannot be \
            reached for 30 seconds, the command ends with status 1; append what was not acknowledged again. Ctrl-C or SIGTERM ends the \
            reading: whole lines that were read are stored and acknowledged, and the status is 1.

            EXAMPLES
              echo '{"stream": "019cad8f-ac00-7e4e-a7b6-815d4e98868f", "type": "session.started"}' | recorder append
              service | recorder append --json | jq .version
            """
    )

    @OptionGroup var metrics: MetricsOptions

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let json = options.json
        let stop = try StopSignal()
        let refused = try await metrics.counting(settings.logger) {
            try await settings.withStore(stoppedBy: stop) { store in
                try await store.withAppender { appender in
                    try await Self.appendAll(with: appender, json: json, until: stop)
                }
            }
        }
        guard refused == 0 else {
            throw CommandError(.refused, "\(Counted.text(refused, "event")) refused, for the reasons above")
        }
    }

    /// - Returns: How many events were refused.
    private static func appendAll(
        with appender: EventAppender,
        json: Bool,
        until stop: StopSignal
    ) async throws -> Int {
        var source = try LineSource(path: "-", chunkSize: 1 << 18, stop: stop)
        var refused = 0
        while let chunk = try await source.next() {
            var lines: [ParsedLine] = []
            var failure: CommandError?
            for index in chunk.lines.indices where !chunk.isBlank(chunk.lines[index]) {
                do throws(CommandError) {
                    lines.append(try ParsedLine(index, of: chunk, source: source.name, derivingIDFrom: nil))
                } catch {
                    failure = error
                    break
                }
            }
            let results = try await appender.append(independently: lines.map(\.line))
            var unknown = 0
            for (line, result) in zip(lines, results) {
                let acknowledgement = Acknowledgement(line: line, result: result)
                if let reason = acknowledgement.refusal {
                    if acknowledgement.mayBeStored { unknown += 1 } else { refused += 1 }
                    StandardError.line("recorder: \(source.name):\(line.number): \(reason)")
                }
                acknowledgement.print(json: json)
            }
            try StandardOutput.shared.flush()
            // What comes behind them must not be stored before them.
            guard unknown == 0 else {
                throw CommandError(
                    .stopped,
                    "\(Counted.text(unknown, "event")) may not be stored, for the reasons above, and nothing after them was "
                        + "appended: append all that again"
                )
            }
            if let failure { throw failure }
        }
        guard !source.wasStopped else {
            throw CommandError(
                .stopped,
                "stopped before the end of the input: what was read is stored and acknowledged"
            )
        }
        return refused
    }
}
