using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Ferry.Router.Forwarding;

/// <summary>TLS towards nodes: which authorities are believed, and by which certificate this router proves itself.</summary>
internal static class NodeTls
{
    public static void Apply(TlsOptions options, SslClientAuthenticationOptions ssl)
    {
        if (options.NodeCertificateFile is { Length: > 0 } file)
        {
            ssl.ClientCertificateContext = SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(file, options.NodeKeyFile), additionalCertificates: null, offline: true);
        }
        if (options.NodeAuthorityFile is { Length: > 0 } authorities)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.ImportFromPemFile(authorities);
            ssl.CertificateChainPolicy = policy;
        }
    }
}
