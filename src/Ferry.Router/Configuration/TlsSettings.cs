using Ferry.Router.Forwarding;
using static Ferry.Router.Configuration.SettingValue;

namespace Ferry.Router.Configuration;

internal static class TlsSettings
{
    public static IReadOnlyList<RouterSetting> All { get; } =
    [
        File("tls.certificate", "--tls-certificate", "PEM file with this router's certificate chain towards clients; empty: plain HTTP.", t => t.CertificateFile, (t, v) => t with { CertificateFile = v }),
        File("tls.key", "--tls-key", "PEM file with its private key.", t => t.KeyFile, (t, v) => t with { KeyFile = v }),
        File("tls.nodeCertificate", "--node-certificate", "PEM file with the certificate by which this router proves itself to nodes.", t => t.NodeCertificateFile, (t, v) => t with { NodeCertificateFile = v }),
        File("tls.nodeKey", "--node-key", "PEM file with its private key.", t => t.NodeKeyFile, (t, v) => t with { NodeKeyFile = v }),
        File("tls.nodeAuthority", "--node-authority", "PEM file with the authorities that sign the nodes' certificates; empty: the system's.", t => t.NodeAuthorityFile, (t, v) => t with { NodeAuthorityFile = v }),
        new RouterSettingOf<string>("traces.otlpEndpoint", "--otlp-endpoint", "Where spans go by OTLP over HTTP, for example http://127.0.0.1:4318; empty: nowhere.", false,
            o => o.Forwarding.OtlpEndpoint, (o, v) => o with { Forwarding = o.Forwarding with { OtlpEndpoint = v } }, Text("URL", "an http or https URL", IsUrl)),
    ];

    private static RouterSettingOf<string> File(string key, string flag, string text, Func<TlsOptions, string> get, Func<TlsOptions, string, TlsOptions> set) => new(
        key, flag, text, false, o => get(o.Forwarding.Tls), (o, v) => o with { Forwarding = o.Forwarding with { Tls = set(o.Forwarding.Tls, v) } }, Text("FILE", "a path"));

    private static bool IsUrl(string text) => text.Length == 0 || (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https"));
}
