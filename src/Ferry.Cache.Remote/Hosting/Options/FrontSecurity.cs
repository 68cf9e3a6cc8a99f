namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>Who may speak to the RESP front, and how.</summary>
public sealed record FrontSecurity
{
    /// <summary>Null: nobody is asked.</summary>
    public string? Password { get; init; }

    public string User { get; init; } = "default";

    /// <summary>PEM file; null: no TLS.</summary>
    public string? TlsCertificatePath { get; init; }

    public string? TlsKeyPath { get; init; }

    /// <summary>Without the password.</summary>
    public override string ToString() => (Password is null ? "no password" : "password") + (TlsCertificatePath is null ? "" : ", TLS");
}
