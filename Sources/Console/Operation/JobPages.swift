import Tastemaker
import Web

enum JobPages {
    /// A kind of job for people.
    static func name(of kind: String) -> String {
        switch JobKind(rawValue: kind) {
        case .importDataset: "Import"
        case .trainSolutionVersion: "Training"
        case .advanceGroup: "Upkeep of placements"
        case .automaticTraining: "Scheduled training"
        case .clean: "Clean-up"
        case nil: kind
        }
    }

    static func row(_ job: Job, _ visit: Visit, _ group: DatasetGroup) -> ViewModel {
        [
            "name": .text(name(of: job.kind)), "message": .text(job.message), "percent": .number(Int((job.progress * 100).rounded())),
        ]
    }
}
