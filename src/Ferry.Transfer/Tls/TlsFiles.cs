namespace Ferry.Transfer.Tls;

/// <summary>Files of mutual TLS, all PEM: this node's certificate and key, and the authority that signs those of every node.</summary>
public sealed record TlsFiles(string CertificatePath, string KeyPath, string AuthorityPath);
