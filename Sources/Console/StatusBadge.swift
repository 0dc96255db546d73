import Tastemaker
import Web

/// How a resource's status looks: a word for people and a colour's name.
enum StatusBadge {
    static func value(_ status: ResourceStatus) -> ViewValue {
        let (kind, label) = look(status)
        return .object(["kind": .text(kind), "label": .text(label)])
    }

    private static func look(_ status: ResourceStatus) -> (String, String) {
        switch status {
        case .active: ("good", "active")
        case .createPending, .updatePending: ("busy", "waiting")
        case .createInProgress, .updateInProgress: ("busy", "in progress")
        case .createStopping: ("busy", "stopping")
        case .createStopped: ("", "stopped")
        case .inactive: ("", "inactive")
        case .createFailed: ("bad", "failed")
        case .deletePending, .deleteInProgress: ("busy", "being deleted")
        }
    }

    static func isUnsettled(_ status: ResourceStatus) -> Bool { look(status).0 == "busy" }
}
