/// Rows as an aligned table for a person, or as lines of JSON.
struct TextTable<Row: Sendable>: Sendable {
    /// How a column's texts are aligned.
    enum Alignment: Sendable {
        /// Texts.
        case left
        /// Numbers.
        case right
    }

    /// One column.
    struct Column: Sendable {
        let title: String
        let alignment: Alignment
        /// Whether it is shortened where the terminal is narrow.
        let isFlexible: Bool
        let text: @Sendable (Row) -> String?

        /// - Parameters:
        ///   - title: The head.
        ///   - alignment: Numbers are aligned to the right.
        ///   - isFlexible: Whether it is cut where the terminal is narrow; for texts.
        ///   - text: A row's text; nil is shown as `-`.
        init(
            _ title: String,
            _ alignment: Alignment = .left,
            isFlexible: Bool = false,
            _ text: @escaping @Sendable (Row) -> String?
        ) {
            self.title = title
            self.alignment = alignment
            self.isFlexible = isFlexible
            self.text = text
        }
    }

    private let columns: [Column]
    /// The narrowest that a flexible column becomes.
    private static var narrowest: Int { 12 }

    init(_ columns: [Column]) { self.columns = columns }

    /// Prints rows.
    ///
    /// - Parameters:
    ///   - rows: All of them are held at once, because the widths depend on all.
    ///   - json: Whether to print one JSON object a row instead.
    ///   - object: Writes a row's fields.
    func print(_ rows: [Row], json: Bool, _ object: (inout JSONLine, Row) -> Void) {
        if json {
            for row in rows { JSONLine.print { object(&$0, row) } }
        } else {
            print(rows)
        }
    }

    /// Prints a page of rows, below those of the pages before.
    ///
    /// - Parameter widths: The columns' widths; nil before the first page, which determines them.
    func print(_ page: [Row], widths: inout [Int]?, json: Bool, _ object: (inout JSONLine, Row) -> Void) {
        if json { print(page, json: true, object) } else { print(page, widths: &widths) }
    }

    /// Prints rows for a person.
    func print(_ rows: [Row]) {
        var widths: [Int]?
        print(rows, widths: &widths)
    }

    /// Prints rows for a person, the first of them below the head.
    ///
    /// - Parameter widths: The columns' widths; nil before the first rows, which determine them.
    func print(_ rows: [Row], widths: inout [Int]?) {
        let width = StandardOutput.terminalWidth
        let cells = rows.map { row in columns.map { $0.text(row)?.onOneLine ?? "-" } }
        if let widths {
            for row in cells { StandardOutput.shared.line(line(of: row, widths: widths, isCut: width != nil)) }
        } else {
            let first = self.widths(of: cells, within: width)
            for row in [columns.map(\.title)] + cells {
                StandardOutput.shared.line(line(of: row, widths: first, isCut: width != nil))
            }
            widths = first
        }
    }

    /// How wide the columns are.
    ///
    /// - Parameter width: How many characters a line may have if a flexible column can make room; nil for any number.
    private func widths(of cells: [[String]], within width: Int?) -> [Int] {
        var widths = columns.indices.map { column in
            max(columns[column].title.count, cells.reduce(0) { max($0, $1[column].count) })
        }
        var excess = widths.reduce(2 * (columns.count - 1), +) - (width ?? .max)
        for column in columns.indices where columns[column].isFlexible && excess > 0 {
            let narrower = max(min(Self.narrowest, widths[column]), widths[column] - excess)
            excess -= widths[column] - narrower
            widths[column] = narrower
        }
        return widths
    }

    private func line(of cells: [String], widths: [Int], isCut: Bool) -> String {
        var line = ""
        for (column, cell) in cells.enumerated() {
            if column > 0 { line += "  " }
            let cell = isCut && columns[column].isFlexible ? cell.cut(to: widths[column]) : cell
            switch columns[column].alignment {
            case .left: line += column == cells.count - 1 ? cell : cell.padded(to: widths[column])
            case .right: line += cell.padded(fromLeftTo: widths[column])
            }
        }
        return line
    }
}
