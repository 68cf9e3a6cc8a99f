using System.Text.Json.Nodes;
using Ferry.Cache.Remote.Settings;
using Ferry.Engine;
using Ferry.Kv.Layout;
using Ferry.Kv.Settings;

namespace Ferry.Serving.Options;

/// <summary>Settings while they are being read: mutable, unchecked against each other. Lives only inside <see cref="ServeOptionsParser"/>.</summary>
public sealed class ServeDraft
{
    internal FindingLog Findings { get; } = new();

    /// <summary>What LMCache's names say.</summary>
    internal CacheDraft Cache { get; } = new();

    // Server
    internal string? Model { get; set; }
    internal List<string> ServedModelNames { get; } = [];
    internal string Host { get; set; } = "0.0.0.0";
    internal int Port { get; set; } = 8000;
    internal List<string> ApiKeys { get; } = [];
    internal ApiOptions Api { get; set; } = new();
    internal string? ChatTemplatePath { get; set; }
    internal bool UseGenerationConfig { get; set; } = true;

    // Engine
    internal DeviceProfile Device { get; set; } = DeviceProfile.Cpu;
    internal int? TensorParallelSize { get; set; }
    internal int? BlockTokens { get; set; }
    internal int? MaxModelLen { get; set; }
    internal int MaxNumSeqs { get; set; } = 16;
    internal int? MaxNumBatchedTokens { get; set; }
    internal int MaxWaiting { get; set; } = 1024;
    internal double? MemoryFraction { get; set; }
    internal long? KvMemoryBytes { get; set; }
    internal int? BlockCount { get; set; }
    internal KvDType KvDType { get; set; } = KvDType.BFloat16;
    internal bool ChunkedPrefill { get; set; } = true;
    internal bool PrefixCaching { get; set; } = true;
    internal int Threads { get; set; }
    internal long Seed { get; set; }

    // Exchange
    internal JsonObject? KvTransferConfig { get; set; }
    internal string? ConnectorName { get; set; }
    internal KvRole? Role { get; set; }
    internal string? EngineId { get; set; }
    internal string? BufferDevice { get; set; }
    internal TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(30);
    internal HandoverMode Handover { get; set; } = HandoverMode.Pull;
    internal string? HashSeed { get; set; }
    internal Events.KvEventsOptions? KvEvents { get; set; }
    internal bool LoadsAlways { get; set; }
    internal string? SideChannelHost { get; set; }
    internal int? SideChannelPort { get; set; }
    internal string? SharedSecret { get; set; }
    internal string? TlsCertificate { get; set; }
    internal string? TlsKey { get; set; }
    internal string? TlsAuthority { get; set; }
    internal TransportSelection Transports { get; set; } = TransportSelection.Default;

    internal void Add(FindingKind kind, string name, string value, string text) => Findings.Add(kind, name, value, text);

    internal void Apply(Setting<ServeDraft> setting, string text) => setting.Apply(this, Findings, text);
}
