internal import CLibpq

/// One result of the server; owns libpq's `PGresult`.
///
/// SAFETY: `pointer` is set once, is only read by libpq once it was returned, and is freed only in `deinit`.
@safe final class LibpqResult: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// Takes ownership of a result.
    init(owning pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit { unsafe PQclear(pointer) }

    /// What kind of result this is.
    var status: ExecStatusType { unsafe PQresultStatus(pointer) }

    /// How many rows there are.
    var rowCount: Int { Int(unsafe PQntuples(pointer)) }

    /// How many columns there are.
    var columnCount: Int { Int(unsafe PQnfields(pointer)) }

    /// How many rows an INSERT, UPDATE, DELETE, SELECT, COPY … touched.
    var affectedRows: Int {
        guard let text = unsafe PQcmdTuples(pointer) else { return 0 }
        return Int(unsafe String(cString: text)) ?? 0
    }

    /// The server's command tag, such as `COMMIT` or `INSERT 0 5`.
    var command: String {
        guard let text = unsafe PQcmdStatus(pointer) else { return "" }
        return unsafe String(cString: text)
    }

    /// The name of a column, as the statement gave it.
    func name(ofColumn column: Int) -> String {
        guard let name = unsafe PQfname(pointer, Int32(column)) else { return "column \(column + 1)" }
        return unsafe String(cString: name)
    }

    /// The type of a column.
    func type(ofColumn column: Int) -> PostgresType {
        PostgresType(rawValue: unsafe PQftype(pointer, Int32(column)))
    }

    /// The bytes of a value, or `nil` for NULL; valid while the closure runs.
    func withValue<R, Failure: Error>(
        row: Int,
        column: Int,
        _ body: (UnsafeRawBufferPointer?) throws(Failure) -> R
    ) throws(Failure) -> R {
        let (row, column) = (Int32(row), Int32(column))
        guard unsafe PQgetisnull(pointer, row, column) == 0, let value = unsafe PQgetvalue(pointer, row, column) else {
            return try body(nil)
        }
        let count = Int(unsafe PQgetlength(pointer, row, column))
        return unsafe try body(UnsafeRawBufferPointer(start: value, count: count))
    }

    /// The failure that this result reports.
    func error() -> PostgresError {
        let sqlState = field(UInt8(ascii: "C"))
        // The message is translated; the name of the server's function is not.
        let routine = field(UInt8(ascii: "R"))
        // An error raised in SQL was worded for its caller.
        let quotesValue = sqlState?.hasPrefix("22") == true && routine != "exec_stmt_raise"
        let ownWords = quotesValue ? sqlState.map { Self.dataExceptions[$0] ?? "data exception" } : nil
        var error = PostgresError(.server, ownWords ?? field(UInt8(ascii: "M")) ?? message)
        error.sqlState = sqlState
        // A missing statement was deallocated by a script.
        error.isStalePlan = sqlState == "26000" || (sqlState == "0A000" && routine == "RevalidateCachedQuery")
        error.position = field(UInt8(ascii: "P")).flatMap { Int($0) }
        error.detail = field(UInt8(ascii: "D"))
        error.hint = field(UInt8(ascii: "H"))
        error.constraint = field(UInt8(ascii: "n"))
        error.table = field(UInt8(ascii: "t"))
        error.column = field(UInt8(ascii: "c"))
        error.context = field(UInt8(ascii: "W"))
        return error
    }

    /// The names of data exceptions. They replace the server's messages, which quote the value, in the quotation marks
    /// of the server's language or in none.
    ///
    /// Source: PostgreSQL manual, appendix A, "Error Codes", class 22; the rarer ones are left out.
    private static let dataExceptions = [
        "22001": "string data right truncation", "22003": "numeric value out of range",
        "22004": "null value not allowed", "22007": "invalid datetime format", "22008": "datetime field overflow",
        "22009": "invalid time zone displacement value", "22012": "division by zero",
        "22015": "interval field overflow", "22021": "character not in repertoire",
        "22023": "invalid parameter value", "22026": "string data length mismatch",
        "2201B": "invalid regular expression", "2202E": "array subscript error",
        "22P02": "invalid text representation", "22P03": "invalid binary representation",
        "22P04": "bad copy file format", "22P05": "untranslatable character",
    ]

    /// The severity of an error or a notice, not translated: `ERROR`, `FATAL`, `NOTICE` …
    var severity: String { unsafe Self.severity(of: pointer) }

    static func severity(of result: OpaquePointer) -> String {
        unsafe field(UInt8(ascii: "V"), of: result) ?? "NOTICE"
    }

    private var message: String {
        guard let text = unsafe PQresultErrorMessage(pointer) else { return "the server gave no reason" }
        return unsafe String(cString: text).trimmedLine
    }

    private func field(_ code: UInt8) -> String? { unsafe Self.field(code, of: pointer) }

    /// A field of an error or a notice; `nil` if it has none of this code.
    ///
    /// Source of the codes: PostgreSQL manual, 55.8 "Error and Notice Message Fields".
    static func field(_ code: UInt8, of result: OpaquePointer) -> String? {
        guard let text = unsafe PQresultErrorField(result, Int32(code)) else { return nil }
        return unsafe String(cString: text)
    }
}

extension String {
    /// The text without the line breaks at the end of libpq's messages.
    var trimmedLine: String {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        return text.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }
}
