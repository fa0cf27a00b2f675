/// What checking a projection's folder found.
package struct ProjectionCheckReport: Sendable {
    /// One thing to fix or to look at.
    package struct Finding: Sendable, Hashable {
        /// Whether it breaks the contract.
        package enum Severity: String, Sendable {
            case error, warning
        }

        package let severity: Severity
        /// What is wrong, where, and what to do; may show rows made from the sample events.
        package let message: String
    }

    /// The projection, such as `interruptions v1`.
    package let projection: String
    package internal(set) var findings: [Finding] = []
    /// How many of the sample events the projection handles.
    package internal(set) var events = 0
    /// In how many ways they were delivered.
    package internal(set) var cuts = 0
    /// How many batches that took.
    package internal(set) var batches = 0
    /// How many rows its views held.
    package internal(set) var rows = 0

    /// Whether nothing breaks the contract.
    package var passes: Bool { !findings.contains { $0.severity == .error } }

    init(projection: String) { self.projection = projection }

    mutating func fail(_ message: String) {
        findings.append(Finding(severity: .error, message: message))
    }

    mutating func warn(_ message: String) {
        findings.append(Finding(severity: .warning, message: message))
    }
}
