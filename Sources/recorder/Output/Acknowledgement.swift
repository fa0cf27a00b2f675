import EventModel
import EventStore

/// What `recorder append` says about one line.
struct Acknowledgement {
    /// The line.
    let line: ParsedLine
    /// How its append ended.
    let result: Result<AppendReceipt, any Error>

    /// Whether it is unknown if it was stored.
    var mayBeStored: Bool {
        guard case .failure(let error as EventStoreError) = result else { return false }
        return error.code == .unavailable
    }

    /// Why it was refused, and under which id it may be stored all the same; nil if it is stored.
    var refusal: String? {
        guard case .failure(let error) = result else { return nil }
        return line.hasNewID && mayBeStored ? "\(error); the event's id is \(line.line.event.id)" : "\(error)"
    }

    /// Writes it to standard output; without JSON, refusals are left to standard error.
    func print(json: Bool) {
        let id = line.line.event.id
        switch result {
        case .success(let receipt):
            let position = receipt.positions.first ?? 0
            guard json else {
                let repeated = receipt.wasStoredBefore ? " (stored before)" : ""
                StandardOutput.shared.line(
                    "\(receipt.stream) version \(receipt.firstVersion) position \(position)\(repeated)"
                )
                return
            }
            JSONLine.print { line in
                line.field("stream", receipt.stream.description)
                line.field("id", id.description)
                line.field("version", receipt.firstVersion)
                line.field("position", Int(position))
                line.field("storedBefore", receipt.wasStoredBefore)
            }
        case .failure(let error):
            guard json else { return }
            let reason = error as? EventStoreError
            JSONLine.print { line in
                line.field("stream", self.line.line.stream.description)
                line.field("id", id.description)
                line.field("line", self.line.number)
                line.object("error") { line in
                    line.field("code", reason?.code.rawValue ?? "failed")
                    line.field("message", "\(error)")
                    line.field("expectedVersion", reason?.expected?.description)
                    line.field("version", reason?.found)
                }
            }
        }
    }
}
