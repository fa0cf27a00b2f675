import ArgumentParser
import EventModel
import Simulator

/// `recorder simulate`: made-up conversations as lines of JSON.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Prints the events of simulated sessions as JSON lines, ready for import.",
        discussion: """
            The same seed and start give the same events.

            EXAMPLES
              recorder simulate --sessions 100 > simulated.jsonl
              recorder simulate --seed 7 --start 2026-03-02 | recorder import -
            """
    )

    @Option(parsing: .unconditional, help: ArgumentHelp("How many sessions.", valueName: "count"))
    var sessions = 10

    @Option(parsing: .unconditional, help: ArgumentHelp("What fixes everything that is made up.", valueName: "number"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("When the first session begins; now if left out.", valueName: "time"))
    var start: Timestamp?

    func validate() throws {
        guard sessions >= 0 else { throw ValidationError("--sessions is 0 or more.") }
    }

    func run() async throws {
        var simulator = ConversationSimulator(seed: seed, startingAt: start ?? .now())
        for _ in 0..<sessions {
            let events = simulator.nextSession().events
            StandardOutput.shared.write { bytes in
                for event in events {
                    event.appendJSON(to: &bytes)
                    bytes.append(0x0A)
                }
            }
        }
    }
}
