import ArgumentParser
import Logging

/// `recorder demo`: shows the whole system at work.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Records simulated conversations on a server of its own, projects them, shows and replays them.",
        discussion: """
            Runs a PostgreSQL in .recorder/ as `recorder dev` does, and stops it at the end. Then one user registers, \
            talks, searches a document, asks too often, is exported and is erased, and the audit log is verified \
            meanwhile. What was recorded stays: every run adds sessions.

            EXAMPLES
              recorder demo
              recorder demo --sessions 500 --producers 32 --speed 0
            """
    )

    @Option(parsing: .unconditional, help: ArgumentHelp("How many conversations to record.", valueName: "count"))
    var sessions = 50

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many producers record at the same time.", valueName: "count")
    )
    var producers = 8

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many times as fast to replay; 0 does not wait.", valueName: "factor")
    )
    var speed = 20.0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What fixes the conversations; another one each time if left out.", valueName: "number")
    )
    var seed: UInt64?

    @OptionGroup var server: ServerDirectoryOptions
    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard sessions > 0 else { throw ValidationError("--sessions is 1 or more.") }
        guard (1...1_000).contains(producers) else { throw ValidationError("--producers is 1 to 1000.") }
        try SessionPlayer.check(speed: speed)
        try options.refuseForOwnServer()
    }

    func run() async throws {
        let settings = try await options.settings().with(directory: server.directory)
        let seed = seed ?? UInt64.random(in: 1...UInt64.max)
        let (sessions, producers, speed, json) = (sessions, producers, speed, options.json)
        try await RunningCommand.cancelledBySignals {
            try await EmbeddedRecorder.run(settings) { recorder in
                let demo = Demo(recorder: recorder, json: json)
                let recorded = try await demo.record(sessions: sessions, producers: producers, seed: seed)
                try await demo.project()
                try await demo.show(recorded, speed: speed)
                try await demo.journey()
                demo.farewell(recorded)
            }
        }
    }
}
