using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Ferry.Cache.Remote.Fronts;

/// <summary>A front's certificate, key and chain from PEM files.</summary>
internal static class FrontCertificate
{
    /// <returns>Null without TLS.</returns>
    /// <exception cref="IOException">A file cannot be read, is no PEM, or the key is not the certificate's.</exception>
    public static X509Certificate2? Load(FrontOptions options)
    {
        if (options.TlsCertificatePath is null)
        {
            return null;
        }
        try
        {
            return X509Certificate2.CreateFromPemFile(options.TlsCertificatePath, options.TlsKeyPath);
        }
        catch (Exception exception) when (exception is CryptographicException or UnauthorizedAccessException or ArgumentException)
        {
            throw new IOException($"{options.Section}: certificate {options.TlsCertificatePath} with key {options.TlsKeyPath} cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>Certificates behind the first of the file: the authorities in between.</summary>
    public static X509Certificate2Collection LoadChain(FrontOptions options)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(options.TlsCertificatePath!);
        chain.RemoveAt(0);
        return chain;
    }
}
