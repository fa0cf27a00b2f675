import Projector

/// Prints how a live read model differs from the log.
struct DifferenceReport {
    private let comparison: ModelComparison

    init(_ comparison: ModelComparison) { self.comparison = comparison }

    /// Prints the differences that were kept, and how many there are beyond them.
    func print(json: Bool) {
        for difference in comparison.differences {
            guard !json else {
                printJSON(difference)
                continue
            }
            let key = difference.key.map { "\($0.name) \($0.expected ?? "NULL")" }.joined(separator: ", ")
            StandardOutput.shared.line("\(difference.view): the row of \(key) \(Self.text(difference.kind))")
            for column in difference.columns {
                let (expected, found) = (Self.shown(column.expected), Self.shown(column.found))
                StandardOutput.shared.line("  \(column.name): expected \(expected), found \(found)")
            }
        }
        let more = comparison.differenceCount - comparison.differences.count
        if more > 0, !json { StandardOutput.shared.line("… and \(Counted.text(more, "row")) more") }
        if !comparison.uncompared.isEmpty, !json {
            StandardOutput.shared.line("only one of the versions has \(comparison.uncompared.joined(separator: ", "))")
        }
    }

    private func printJSON(_ difference: RowDifference) {
        JSONLine.print { line in
            line.field("view", difference.view)
            line.field("kind", difference.kind.rawValue)
            line.object("key") { line in
                for column in difference.key { line.field(column.name, column.expected) }
            }
            line.objects("columns", difference.columns) { line, column in
                line.field("column", column.name)
                line.field("expected", column.expected)
                line.field("found", column.found)
            }
        }
    }

    private static func text(_ kind: RowDifference.Kind) -> String {
        switch kind {
        case .missing: "is missing"
        case .extra: "is not in the log"
        case .changed: "differs"
        }
    }

    private static func shown(_ value: String?) -> String { value.map { $0.onOneLine.cut(to: 120) } ?? "NULL" }
}
