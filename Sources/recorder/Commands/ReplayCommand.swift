import ArgumentParser
import EventModel
import EventStore
import ReadModel

/// `recorder replay SESSION`: plays a session again, in its own time.
struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Plays a session again in its own time, or shows its state at any point.",
        discussion: """
            Shows what was said, by whom, in which state, what each stage took and what it cost, as it came. --speed 0 \
            does not wait. --until does not play: it gives the state after that version, or before the first event \
            that happened after that time. What a call cost, if it was not recorded, is computed at the prices that are \
            loaded now; the read models keep what it was when the event was projected. A cost with a + behind it is \
            that of some calls; what the others cost is not known.

            EXAMPLES
              recorder replay 019cad8f-ac00-7e4e-a7b6-815d4e98868f --speed 4
              recorder replay 019cad8f-ac00-7e4e-a7b6-815d4e98868f --until 42
              recorder replay 019cad8f-ac00-7e4e-a7b6-815d4e98868f --until 2026-03-02T08:00:30Z --json
            """
    )

    @Argument(help: "The session's id.")
    var session: StreamID

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many times as fast as it was; 0 does not wait.", valueName: "factor")
    )
    var speed = 1.0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Give the state at this version, or at this time.", valueName: "version or time")
    )
    var until: ReplayEnd?

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        try SessionPlayer.check(speed: speed)
    }

    func run() async throws {
        let settings = try await options.settings()
        let (session, speed, until, json) = (session, speed, until?.end, options.json)
        let prices = try await settings.withReadModels { try await $0.prices() }
        guard let until else {
            return try await settings.withStoreUntilSignal { store in
                try await SessionPlayer(session: session, prices: prices, store: store).play(speed: speed, json: json)
            }
        }
        let snapshot = try await settings.withStoreUntilSignal { store in
            try await SessionPlayer(session: session, prices: prices, store: store).snapshot(until: until)
        }
        if case .version(let version) = until, snapshot.version < version {
            StandardError.line(
                "recorder: session \(session) has no version \(version): this is its last one, \(snapshot.version)"
            )
        }
        if json {
            JSONLine.print { ReplayText.write(snapshot, to: &$0) }
        } else {
            ReplayText.print(snapshot)
        }
    }
}

/// A version or a time, as a flag takes it.
struct ReplayEnd: ExpressibleByArgument {
    /// Where to stop playing.
    let end: SessionReplay.End

    init?(argument: String) {
        if let version = Int(argument), version >= 0 {
            end = .version(version)
        } else if let moment = Timestamp(argument: argument) {
            end = .moment(moment)
        } else {
            return nil
        }
    }
}
