import ArgumentParser
import EventModel
import Foundation
import ReadModel
import Schema

/// `recorder prices load FILE`: prices from a file.
struct PricesLoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Loads prices from a JSON file. Loading it again changes nothing.",
        discussion: """
            The file is {"models": {"MODEL": {"input": "0.000005", "input_cache_read": …, "output": …}}}: US \
            dollars a token, as strings or numbers, all digits kept. Costs that were projected before stay as they \
            are, while replay computes at the prices that are loaded now: load prices first, and changed ones with \
            --valid-from.

            EXAMPLES
              recorder prices load model-prices.json
              recorder prices load model-prices.json --valid-from 2026-04-01
            """
    )

    @Argument(help: "The file; - is standard input.", completion: .file(extensions: ["json"]))
    var file: String

    @Option(help: ArgumentHelp("From when they hold; for all times if left out.", valueName: "time"))
    var validFrom: Timestamp?

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        let settings = try await options.settings()
        let bytes: [UInt8]
        do {
            let handle =
                file == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(filePath: file))
            bytes = Array(try handle.readToEnd() ?? Data())
        } catch {
            throw CommandError(.file, "\(file) cannot be read: \(error.fileReason)", cause: error)
        }
        let prices: [ModelPrice]
        do {
            prices = try ModelPrice.list(json: bytes, validFrom: validFrom)
        } catch {
            throw CommandError(.input, "\(file): \(error)", cause: error)
        }
        let changed = try await settings.withReadModels { try await $0.save(prices) }
        if options.json {
            JSONLine.print { line in
                line.field("prices", prices.count)
                line.field("changed", changed)
            }
        } else {
            let models = Set(prices.map(\.model)).count
            StandardOutput.shared.line(
                "\(Counted.text(prices.count, "price")) of \(Counted.text(models, "model")), "
                    + "\(Counted.grouped(changed)) new or changed"
            )
            guard changed > 0 else { return }
            StandardOutput.shared.line(
                "costs that were projected before stay as they are: `recorder projections verify conversation_costs` shows "
                    + "those that are others now, and `recorder projections rebuild conversation_sessions conversation_turns "
                    + "conversation_costs --accept-differences` computes them anew, in sessions and turns too"
            )
        }
    }
}
