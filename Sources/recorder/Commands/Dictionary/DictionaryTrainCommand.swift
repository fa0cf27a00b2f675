import ArgumentParser
import Foundation
import PayloadCodec
import Postgres
import Schema

/// `recorder dictionary train`: makes a dictionary from events.
struct DictionaryTrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a dictionary from the store's own events, or from simulated ones.",
        discussion: """
            The dictionary is stored and used by appenders that start from then on; older payloads keep the one that \
            they were written with. With --output it is written to a file instead, and nothing is stored. The same \
            events give the same dictionary: the one that the migrations bring was printed by the last example.

            EXAMPLES
              recorder dictionary train --from-log 10000
              recorder dictionary train --simulated 100 --output trained.bin
              recorder dictionary train --simulated 100 --as-migration --output migrations/0044_second_dictionary.up.sql
            """
    )

    @Option(parsing: .unconditional, help: ArgumentHelp("Train on so many simulated sessions.", valueName: "sessions"))
    var simulated: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Train on so many events of the log, picked evenly.", valueName: "events")
    )
    var fromLog: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("The dictionary's size in bytes at most.", valueName: "bytes"))
    var size = PayloadDictionary.sizeLimit

    @Option(help: ArgumentHelp("Write it to this file and store nothing; - is standard output.", valueName: "file"))
    var output: String?

    @Flag(help: "Write it as the migration that installs it where no other was trained. For --simulated.")
    var asMigration = false

    @OptionGroup var options: SettingsOptions

    func validate() throws {
        guard (simulated == nil) != (fromLog == nil) else { throw ValidationError("Give --simulated or --from-log.") }
        guard (simulated ?? fromLog ?? 0) > 0 else { throw ValidationError("Give at least 1 to train on.") }
        guard (256...PayloadDictionary.sizeLimit).contains(size) else {
            throw ValidationError("--size is 256 to \(PayloadDictionary.sizeLimit).")
        }
        if asMigration, output == nil || simulated == nil {
            throw ValidationError("--as-migration needs --simulated and --output; one from the log is stored there.")
        }
    }

    func run() async throws {
        let settings = try await options.settings()
        let source: DictionarySamples
        if let simulated {
            source = .simulated(sessions: simulated)
        } else {
            source = try await settings.withPool { pool in
                try await settings.withStore { store in
                    try await .log(events: fromLog ?? 0, pool: pool, store: store)
                }
            }
        }
        let trained = try DictionaryTrainer(size: size).train(source.payloads)
        var stored: (id: Int16, isNew: Bool)?
        if let output {
            let bytes =
                asMigration ? Array(DictionaryMigration.text(trained, source: source).utf8) : trained.bytes
            try Self.write(bytes, to: output)
        } else {
            let statement = InsertDictionary(bytes: trained.bytes, trainedOn: source.description)
            stored = try await settings.withPool { try await $0.first(statement) }
        }
        if output != "-" { report(trained, source: source, stored) }
    }

    private func report(
        _ trained: TrainedDictionary,
        source: DictionarySamples,
        _ stored: (id: Int16, isNew: Bool)?
    ) {
        if options.json {
            JSONLine.print { line in
                line.field("id", stored.map { Int($0.id) })
                line.field("bytes", trained.bytes.count)
                line.field("trainedOn", source.description)
                line.field("samples", trained.trainedOn)
                line.field("heldOut", trained.heldOut)
                line.field("heldOutRatio", trained.heldOutRatio)
                line.field("heldOutRatioWithoutDictionary", trained.heldOutRatioWithoutDictionary)
            }
            return
        }
        let place =
            stored.map { "\($0.isNew ? "stored as" : "the same as") dictionary \($0.id)" } ?? output.map {
                "written to \($0)"
            } ?? ""
        let ratio = Figures.decimal(trained.heldOutRatio, digits: 3) ?? "?"
        let without = Figures.decimal(trained.heldOutRatioWithoutDictionary, digits: 3) ?? "?"
        StandardOutput.shared.line(
            "\(Counted.text(trained.bytes.count, "byte")) from \(source.description), \(place): "
                + "\(Counted.text(trained.heldOut, "event")) that it was not trained on shrink to \(ratio) of their size, "
                + "without it to \(without)"
        )
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        guard path != "-" else {
            StandardOutput.shared.write { $0.append(contentsOf: bytes) }
            return
        }
        do {
            try Data(bytes).write(to: URL(filePath: path))
        } catch {
            throw CommandError(.file, "\(path) cannot be written: \(error.fileReason)", cause: error)
        }
    }
}
