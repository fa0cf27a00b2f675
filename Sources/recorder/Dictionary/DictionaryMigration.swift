import Foundation
import PayloadCodec

/// Writes a dictionary as a migration that installs it.
enum DictionaryMigration {
    /// The id of the dictionary that a fresh start compresses with.
    private static let id = 2
    private static let lineLength = 116

    /// The migration's SQL.
    static func text(_ dictionary: TrainedDictionary, source: DictionarySamples) -> String {
        let base64 = Array(Data(dictionary.bytes).base64EncodedString())
        let lines = stride(from: 0, to: base64.count, by: lineLength)
            .map { String(base64[$0..<min($0 + lineLength, base64.count)]) }
        let ratio = Figures.decimal(dictionary.heldOutRatio, digits: 3) ?? "?"
        let without = Figures.decimal(dictionary.heldOutRatioWithoutDictionary, digits: 3) ?? "?"
        return """
            -- The dictionary of a fresh start, trained on \(source). Events that it was not trained on
            -- shrink to \(ratio) of their size, without it to \(without). Printed by `recorder dictionary train --as-migration`.
            with shipped as (
                select decode('
            \(lines.joined(separator: "\n"))
            ', 'base64') as bytes
            )
            insert into dictionaries (id, bytes, trained_on, checksum)
            select \(id), bytes, '\(source)', sha256(bytes) from shipped
            -- Whoever trained one of their own goes on with that.
            where not exists (select from dictionaries where id >= \(id));

            """
    }
}
