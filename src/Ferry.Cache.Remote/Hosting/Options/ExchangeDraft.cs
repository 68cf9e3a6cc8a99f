using Ferry.Cache.Remote.Clients;
using Ferry.Cache.Remote.Models;
using Ferry.Cache.Remote.Settings;
using Ferry.Kv.Settings;

namespace Ferry.Cache.Remote.Hosting.Options;

/// <summary>Settings of an exchange while they are being read: mutable, unchecked against each other.</summary>
public sealed class ExchangeDraft
{
    internal static readonly ListenAddress DefaultResp = new("127.0.0.1", 6390);
    internal static readonly ListenAddress DefaultAdmin = new("127.0.0.1", 6391);

    internal FindingLog Findings { get; } = new();

    /// <summary>What LMCache's names, and the flags that mean the same, say.</summary>
    internal CacheDraft Cache { get; } = new();

    internal ListenAddress? Resp { get; set; } = DefaultResp;

    internal ListenAddress? Lm { get; set; }

    internal ListenAddress? Admin { get; set; } = DefaultAdmin;

    internal string? RespPassword { get; set; }

    internal string RespUser { get; set; } = "default";

    internal string? TlsCertificatePath { get; set; }

    internal string? TlsKeyPath { get; set; }

    internal List<ListenAddress> Peers { get; } = [];

    internal string? PeerAuthorityFile { get; set; }

    internal string? AdminToken { get; set; }

    internal bool AllowFlush { get; set; }

    internal int ConnectionsMax { get; set; } = 1024;

    internal long? RemoteBytes { get; set; }

    internal TimeSpan? RemoteExpireAfter { get; set; }

    internal string? CredentialsFile { get; set; }

    internal ModelCards Models { get; set; } = ModelCards.None;

    internal ClientStoreOptions Clients { get; set; } = new();

    internal Dictionary<string, long> Quotas { get; } = new(StringComparer.Ordinal);

    internal long WriteQueueBytes { get; set; } = 1L << 30;

    internal long PrefetchBytes { get; set; } = 256L << 20;

    internal TimeSpan Drain { get; set; } = TimeSpan.FromSeconds(20);
}
