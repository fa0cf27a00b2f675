/// Why a connection was refused, read from libpq's message at `PQERRORS_VERBOSE`: the only place where libpq gives the
/// SQLSTATE of a refused login.
///
/// Source: PostgreSQL manual, 34.11 "Control Functions", `PQsetErrorVerbosity`; `pqBuildErrorMessage3` in libpq's
/// `fe-protocol3.c` writes `SEVERITY:  SQLSTATE: message`, and at the end `LOCATION:  function, file:line`.
struct ConnectRefusal {
    /// The message as it is at `PQERRORS_DEFAULT`, on one line.
    let message: String
    /// The SQLSTATEs of the refusals, one for each attempt that libpq made; none if no server answered.
    let sqlStates: [String]

    /// - Parameter text: libpq's message.
    init(_ text: String) {
        var sqlStates: [String] = []
        let lines = text.split(whereSeparator: \.isNewline).filter { $0.wholeMatch(of: #/\S+:  .*\w\.\w+:\d+/#) == nil }
        let plain = lines.map { line in
            let code = #/:  (?<sqlState>[0-9A-Z]{5}): /#
            guard let match = line.firstMatch(of: code) else { return String(line) }
            sqlStates.append(String(match.sqlState))
            return String(line.replacing(code, with: ":  ", maxReplacements: 1))
        }
        message = plain.joined(separator: "\n").trimmedLine
        self.sqlStates = sqlStates
    }

    /// Whether a later attempt cannot succeed unless somebody changes something first.
    ///
    /// Source: PostgreSQL manual, appendix A, "Error Codes": class 28 is a role or a password that is not accepted,
    /// 3D000 a database that does not exist, 42501 one that the role may not connect to.
    var isLasting: Bool {
        !sqlStates.isEmpty && sqlStates.allSatisfy { $0.hasPrefix("28") || $0 == "3D000" || $0 == "42501" }
    }
}
