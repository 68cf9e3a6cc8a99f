using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ferry.Transfer.Tls;

/// <summary>Mutual TLS 1.3: both ends show a certificate of one authority.</summary>
/// <remarks>
/// What is proved is membership: any certificate that the authority signed and that is valid today is a node of the fleet. Names are not
/// compared, since nodes are dialled by address.
/// </remarks>
internal sealed class TlsIdentity : IDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _authorities;

    private TlsIdentity(X509Certificate2 certificate, X509Certificate2Collection authorities)
    {
        _certificate = certificate;
        _authorities = authorities;
    }

    /// <exception cref="TransferConfigurationException">A file is missing, is not PEM, or the key is not the certificate's.</exception>
    public static TlsIdentity Load(TlsFiles files)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(files.AuthorityPath);
            return authorities.Count == 0
                ? throw new TransferConfigurationException($"TLS: '{files.AuthorityPath}' holds no certificate. Give the authority's, as PEM.")
                : new TlsIdentity(X509Certificate2.CreateFromPemFile(files.CertificatePath, files.KeyPath), authorities);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new TransferConfigurationException(
                $"TLS: certificate '{files.CertificatePath}', key '{files.KeyPath}', authority '{files.AuthorityPath}': {exception.Message} All three are PEM files.", exception);
        }
    }

    public SslServerAuthenticationOptions ForServer() => new()
    {
        ServerCertificate = _certificate,
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls13,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOurs(certificate),
    };

    public SslClientAuthenticationOptions ForClient(string targetHost) => new()
    {
        TargetHost = targetHost,
        ClientCertificates = [_certificate],
        EnabledSslProtocols = SslProtocols.Tls13,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => IsOurs(certificate),
    };

    public void Dispose()
    {
        _certificate.Dispose();
        foreach (var authority in _authorities)
        {
            authority.Dispose();
        }
    }

    private bool IsOurs(X509Certificate? certificate)
    {
        if (certificate is null)
        {
            return false;
        }
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // A fleet's own authority has no revocation server; certificates are short-lived instead.
        using var copy = new X509Certificate2(certificate);
        return chain.Build(copy);
    }
}
