using System.Security.Cryptography.X509Certificates;

namespace Ferry.Cache.Remote;

/// <summary>Servers whose certificates an authority of the operator's own has signed.</summary>
internal static class OwnAuthority
{
    /// <summary>Takes what the authorities of a PEM file have signed, and nothing else; the machine's own authorities do not count.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The file holds no certificates.</exception>
    public static X509ChainPolicy TrustOnly(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return policy;
    }
}
