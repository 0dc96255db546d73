/// What a site's developer pastes. Consent is pending until the page grants it: nothing is stored or sent before.
public enum TrackerSnippet {
    /// With a stub in the page, so that calls made before the script has loaded are kept.
    public static func inline(trackingID: String, endpoint: String) -> String {
        """
        <script>
        \(TrackerStub.text)
        tm.load("\(trackingID)", {endpoint: "\(endpoint)", consent: "pending"})
        </script>
        <script async src="\(endpoint)/tracker.js"></script>
        """
    }

    /// Without inline script, for strict policies.
    public static func external(trackingID: String, endpoint: String) -> String {
        "<script async src=\"\(endpoint)/tracker.js\" data-key=\"\(trackingID)\" data-endpoint=\"\(endpoint)\" data-consent=\"pending\"></script>"
    }
}
