import ArgumentParser

/// The flags that `up`, `serve`, `work` and `doctor` share.
struct SettingsOptions: ParsableArguments {
    @Option(help: "Where nginx listens (TASTEMAKER_LISTEN; default 127.0.0.1:8080).")
    var listen: String?
    @Option(help: "Certificate chain in PEM (TASTEMAKER_TLS_CERTIFICATE).")
    var tlsCertificate: String?
    @Option(help: "Private key in PEM (TASTEMAKER_TLS_KEY).")
    var tlsKey: String?
    @Option(
        name: .customLong("public-url"), help: "What browsers and clients call, such as https://shop.example.com (TASTEMAKER_PUBLIC_URL).")
    var publicURL: String?
    @Option(help: "Addresses, with commas, of a proxy whose X-Forwarded headers are believed (TASTEMAKER_BEHIND_PROXY).")
    var behindProxy: String?
    @Option(help: "The data folder (TASTEMAKER_DATA; default /var/lib/tastemaker as root, else ~/.local/share/tastemaker).")
    var data: String?
    @Option(help: "A short folder for sockets (TASTEMAKER_RUN).")
    var run: String?
    @Option(help: "As root: the account under which PostgreSQL and the workers run (TASTEMAKER_USER; default tastemaker).")
    var user: String?

    /// As setting values; what was not given is absent.
    var values: SettingValues {
        let all: [Setting: String?] = [
            .listen: listen, .tlsCertificate: tlsCertificate, .tlsKey: tlsKey, .publicURL: publicURL, .behindProxy: behindProxy,
            .data: data, .run: run, .user: user,
        ]
        return all.compactMapValues { $0 }
    }

    func settings(_ more: SettingValues = [:]) throws -> LaunchSettings {
        try LaunchSettings(flags: values.merging(more) { $1 })
    }
}
