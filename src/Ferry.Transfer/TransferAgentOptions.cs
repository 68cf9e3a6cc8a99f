using Ferry.Transfer.Media;
using Ferry.Transfer.SideChannel;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Transfer;

/// <summary>What every medium's agent needs.</summary>
public record TransferAgentOptions
{
    /// <summary>Unique per engine, as in <c>--kv-transfer-config</c>'s engine_id; 1 to 256 UTF-8 bytes.</summary>
    public required string EngineId { get; init; }

    /// <summary>Told to peers in the handshake.</summary>
    public KvDescription Kv { get; init; } = KvDescription.None;

    /// <summary>Answers peers' questions.</summary>
    public ISideChannelHandler Handler { get; init; } = RefusingHandler.Instance;

    public LeaseLimits Leases { get; init; } = new();

    public TransferLimits Transfers { get; init; } = new();

    /// <summary>
    /// Media beside TCP, the best first; owned by the agent from now on. A peer is reached by the first that both ends have and that works,
    /// else by TCP.
    /// </summary>
    public IReadOnlyList<DataMedium> Media { get; init; } = [];

    /// <summary>Registered regions at one time. An exchange registers one arena; 1,024 leaves room for a pool a layer.</summary>
    public int RegionCountMax { get; init; } = 1024;

    /// <summary>How long a connect with its handshake, and a call over the side channel, may take.</summary>
    public TimeSpan CallDeadline { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A peer that shows no sign of life, or a transfer without a byte, for this long is dead.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often expired leases are swept and silent connections looked at.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public IEntropy Entropy { get; init; } = SystemEntropy.Instance;

    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>Pings go out three times in <see cref="DeadAfter"/>, so that one lost or late answer is not a death.</summary>
    internal TimeSpan HeartbeatInterval => DeadAfter / 3;

    /// <summary>Every error at once, each with the name, the value and the limit.</summary>
    public virtual IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        var engineIdBytes = System.Text.Encoding.UTF8.GetByteCount(EngineId);
        Require(engineIdBytes is >= 1 and <= AgentIdentity.EngineIdBytesMax,
            $"EngineId has {engineIdBytes} bytes; it must have 1 to {AgentIdentity.EngineIdBytesMax}.");
        Require(Kv.RankLayouts.Count <= KvDescription.RankCountMax,
            $"Kv.RankLayouts has {Kv.RankLayouts.Count} entries; at most {KvDescription.RankCountMax} are allowed.");
        Require(RegionCountMax >= 1, $"RegionCountMax is {RegionCountMax}; it must be at least 1.");
        Require(CallDeadline > TimeSpan.Zero, $"CallDeadline is {CallDeadline}; it must be positive.");
        Require(DeadAfter >= TimeSpan.FromMilliseconds(100), $"DeadAfter is {DeadAfter}; below 100 ms a busy machine looks dead.");
        Require(SweepInterval > TimeSpan.Zero && SweepInterval <= DeadAfter, $"SweepInterval is {SweepInterval}; it must lie in (0, DeadAfter = {DeadAfter}].");
        Require(Transfers.SegmentBytes is >= 4096 and <= TransferLimits.SegmentBytesMax,
            $"Transfers.SegmentBytes is {Transfers.SegmentBytes}; it must lie in 4096..{TransferLimits.SegmentBytesMax}.");
        Require(Transfers.InPlaceSegmentBytes is >= 4096 and <= TransferLimits.SegmentBytesMax,
            $"Transfers.InPlaceSegmentBytes is {Transfers.InPlaceSegmentBytes}; it must lie in 4096..{TransferLimits.SegmentBytesMax}.");
        Require(Transfers.SegmentsInFlight is >= 1 and <= 64, $"Transfers.SegmentsInFlight is {Transfers.SegmentsInFlight}; it must lie in 1..64.");
        Require(Transfers.DescriptorCountMax >= 1, $"Transfers.DescriptorCountMax is {Transfers.DescriptorCountMax}; it must be at least 1.");
        Require(Transfers.TransferCountMax >= 1, $"Transfers.TransferCountMax is {Transfers.TransferCountMax}; it must be at least 1.");
        return errors;

        void Require(bool condition, string error)
        {
            if (!condition)
            {
                errors.Add(error);
            }
        }
    }

    /// <exception cref="TransferConfigurationException">Lists every error of <see cref="Validate"/>.</exception>
    internal void ThrowIfInvalid()
    {
        if (Validate() is { Count: > 0 } errors)
        {
            throw new TransferConfigurationException(string.Join(Environment.NewLine, errors));
        }
    }
}
