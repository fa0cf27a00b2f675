import EventModel

/// Prints events: as lines of JSON, or as lines for a person.
struct EventPrinter {
    /// Whether to print JSON.
    let json: Bool
    /// Whether to say which stream an event is in.
    var showsStream = false

    /// Prints events in the order given.
    func print(_ events: [RecordedEvent]) {
        for event in events {
            if json {
                StandardOutput.shared.write { bytes in
                    event.appendJSON(to: &bytes)
                    bytes.append(0x0A)
                }
            } else {
                let stream = showsStream ? "\(event.stream) " : ""
                let version =
                    String(repeating: " ", count: max(0, 5 - String(event.version).count)) + "\(event.version)"
                let type = event.type.name.onOneLine.padded(to: 21)
                let erased = event.erased.isEmpty ? "" : "erased: \(event.erased.joined(separator: ", ")) · "
                let data = erased + String(decoding: event.data, as: UTF8.self).onOneLine
                StandardOutput.shared.line(
                    "\(stream)\(version)  \(event.occurredAt)  \(type)  \(data)".cut(to: StandardOutput.terminalWidth)
                )
            }
        }
    }
}
