/// What is said in calls of one kind: how they open, what comes up, how they close.
struct Scenario: Sendable {
    /// What one side says and the other answers.
    struct Exchange: Sendable {
        /// Ways of saying it.
        var user: [Phrase] = []
        /// Ways of answering.
        var agent: [Phrase] = []
        /// What is looked up for the answer, if anything is.
        var query: Phrase?
        /// The tool that the model calls before it answers, if it calls one.
        var tool: String?
        /// What retrieval or the tool returns.
        var found: [Phrase] = []
    }

    /// The kind of call.
    let name: String
    /// Beginnings.
    private(set) var openings: [Exchange] = []
    /// What may come between, in the order in which it makes sense.
    private(set) var steps: [Exchange] = []
    /// Ends.
    private(set) var closings: [Exchange] = []

    /// All kinds of calls except ``anywhere``.
    static let all = [travel, bank, clinic, shop, telephone]

    /// Reads a script: blocks separated by empty lines, each with a first line `open`, `step` or `close`, then lines
    /// `user:`, `agent:`, `look:` (the query), `tool:` (its name) and `found:`.
    init(name: String, script: String) {
        self.name = name
        for block in script.split(separator: "\n\n") {
            var exchange = Exchange()
            let lines = block.split(separator: "\n")
            for line in lines.dropFirst() {
                guard let colon = line.firstRange(of: ": ") else {
                    preconditionFailure("a line without a colon: \(line)")
                }
                let text = line[colon.upperBound...]
                switch line[..<colon.lowerBound] {
                case "user": exchange.user.append(Phrase(text))
                case "agent": exchange.agent.append(Phrase(text))
                case "look": exchange.query = Phrase(text)
                case "tool": exchange.tool = String(text)
                case "found": exchange.found.append(Phrase(text))
                case let word: preconditionFailure("an unknown line: \(word)")
                }
            }
            precondition(!exchange.user.isEmpty && !exchange.agent.isEmpty, "both sides speak in \(block)")
            switch lines.first {
            case "open": openings.append(exchange)
            case "step": steps.append(exchange)
            case "close": closings.append(exchange)
            case let word: preconditionFailure("an unknown block: \(word ?? "")")
            }
        }
    }
}
