using System.Security.Cryptography.X509Certificates;
using Ferry.Router.Forwarding;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Ferry.Router.Hosting;

/// <summary>TLS towards clients.</summary>
internal static class ClientTls
{
    /// <summary>Does nothing when no certificate is configured.</summary>
    public static void Apply(TlsOptions options, ListenOptions listen)
    {
        if (options.CertificateFile is not { Length: > 0 } file)
        {
            return;
        }
        var certificate = X509Certificate2.CreateFromPemFile(file, options.KeyFile);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(file);
        listen.UseHttps(https =>
        {
            https.ServerCertificate = certificate;
            https.ServerCertificateChain = chain;
        });
    }
}
