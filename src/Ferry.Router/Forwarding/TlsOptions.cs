namespace Ferry.Router.Forwarding;

/// <summary>PEM files. Read at start.</summary>
public sealed record TlsOptions
{
    /// <summary>Certificate chain of this router towards clients; empty: plain HTTP.</summary>
    public string CertificateFile { get; init; } = "";

    /// <summary>Its private key.</summary>
    public string KeyFile { get; init; } = "";

    /// <summary>Certificate by which this router proves itself to nodes (mutual TLS); empty: none.</summary>
    public string NodeCertificateFile { get; init; } = "";

    /// <summary>Its private key.</summary>
    public string NodeKeyFile { get; init; } = "";

    /// <summary>The only authorities that may have signed a node's certificate; empty: the system's.</summary>
    public string NodeAuthorityFile { get; init; } = "";
}
