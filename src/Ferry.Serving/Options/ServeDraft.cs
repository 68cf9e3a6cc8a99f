using System.Text.Json.Nodes;
using Ferry.Engine;
using Ferry.Kv.Layout;

namespace Ferry.Serving.Options;

/// <summary>Settings while they are being read: mutable, unchecked against each other. Lives only inside <see cref="ServeOptionsParser"/>.</summary>
public sealed class ServeDraft
{
    private readonly List<Finding> _findings = [];

    public IReadOnlyList<Finding> Findings => _findings;

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
    internal int ChunkTokens { get; set; } = 256;
    internal string HashAlgorithm { get; set; } = "sha256_cbor";
    internal string? HashSeed { get; set; }
    internal bool KeepInMemory { get; set; } = true;
    internal long? MemoryTierBytesPerRank { get; set; }
    internal string? SharedDirectory { get; set; }
    internal bool SaveDecodeCache { get; set; }
    internal bool SaveUnfullChunk { get; set; }
    internal TimeSpan LoadTimeout { get; set; } = TimeSpan.FromSeconds(10);
    internal bool? EnablePd { get; set; }
    internal string? PdRole { get; set; }
    internal string? SideChannelHost { get; set; }
    internal int? SideChannelPort { get; set; }
    internal string? SharedSecret { get; set; }
    internal TransportSelection Transports { get; set; } = UcxTransports.Default;

    internal void Add(FindingKind kind, string name, string value, string text) => _findings.Add(new Finding(kind, name, value, text));

    /// <summary>Applies one setting and records what became of it.</summary>
    internal void Apply(Setting setting, string text)
    {
        var shown = setting.IsSecret ? "***" : text;
        if (setting.IsRefused)
        {
            Add(FindingKind.Error, setting.Name, shown, $"{setting.Name}: {setting.Text}");
            return;
        }
        if (setting.Apply is null)
        {
            Add(FindingKind.Warning, setting.Name, shown, setting.Text);
            return;
        }
        var before = _findings.Count;
        setting.Apply(this, new SettingValue(setting.Name, text, this));
        if (_findings.Count == before)
        {
            Add(FindingKind.Honoured, setting.Name, shown, "");
        }
    }
}
