using Ferry.Kv.Ucx;
using Ferry.Transfer.Host;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging;

namespace Ferry.Transfer.Media;

/// <summary>The media that a UCX_TLS selects on this host, started, as options of an agent.</summary>
/// <param name="Plan">What was chosen, and why.</param>
/// <param name="Media">For <see cref="TransferAgentOptions.Media"/>, which owns them from then on.</param>
/// <param name="AllowBytesOverTcp">Whether a peer that none of them reaches is reached all the same.</param>
public sealed record StartedMedia(MediaPlan Plan, IReadOnlyList<DataMedium> Media, bool AllowBytesOverTcp)
{
    /// <summary>Whether any process but this one can be reached.</summary>
    public bool ReachesOthers => AllowBytesOverTcp || Media.Count > 0;

    /// <summary>What a value comes to here. UCX is loaded only where it may be of use: it hooks into the process.</summary>
    public static MediaPlan Choose(string? ucxTls, MediaPreference preference)
    {
        var files = new HostFiles();
        var accelerators = Accelerators.Read(files);
        var hasRdma = RdmaPort.Read(files).Count > 0;
        var ucx = preference == MediaPreference.Ucx || (preference == MediaPreference.Auto && (hasRdma || accelerators.Devices.Count > 0))
            ? UcxFacts.Read()
            : new UcxFacts(null, null, "UCX was not loaded: this host has neither RDMA devices nor accelerators.", [], []);
        return MediaPlan.Choose(UcxTls.Parse(ucxTls, ucx.Version, accelerators.Vendor), preference, ucx, hasRdma);
    }

    /// <summary>Starts what <paramref name="plan"/> names and logs it, once.</summary>
    /// <exception cref="TransferConfigurationException">The plan has errors, or a medium does not start; the message says what to change.</exception>
    public static async Task<StartedMedia> StartAsync(MediaPlan plan, string? ucxTls, ILogger logger)
    {
        if (plan.Errors.Count > 0)
        {
            throw new TransferConfigurationException(string.Join(Environment.NewLine, plan.Errors));
        }
        var media = new List<DataMedium>();
        if (plan.Media.Contains(UcxMedium.MediumName))
        {
            media.Add(await UcxMedium.StartAsync(new UcxOptions { Transports = ucxTls }, logger));
        }
        if (plan.Media.Contains("shm"))
        {
            media.Add(new SharedMemoryMedium());
        }
        MediaLog.Chosen(logger, plan.Reason);
        foreach (var note in plan.Notes)
        {
            MediaLog.Note(logger, note);
        }
        return new StartedMedia(plan, media, plan.Media.Contains("tcp"));
    }
}
