import Projector

extension ProgressBar {
    /// Shows how far a rebuild or a verification has come.
    func show(_ progress: RebuildProgress) {
        let fraction = progress.total > 0 ? Double(progress.done) / Double(progress.total) : 1
        let left = progress.timeLeft.map { ", \(Int($0 / .seconds(1))) s left" } ?? ""
        let name = progress.projection.map { "\($0): " } ?? ""
        let note =
            switch progress.phase {
            case .folding: left
            case .comparing: ", \(name)comparing with the live model"
            case .waitingForReaders: ", \(name)waiting for transactions that began before"
            case .swapping: ", \(name)swapping"
            }
        show(progress.done, fraction: fraction, note: note)
    }
}
