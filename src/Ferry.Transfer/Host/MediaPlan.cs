using Ferry.Kv.Ucx;

namespace Ferry.Transfer.Host;

/// <summary>What a UCX_TLS value comes to on this host: the media that carry bytes, in order, and why.</summary>
/// <param name="Media">Best first: <c>ucx</c>, <c>shm</c>, <c>tcp</c>; <c>self</c> inside one process. A peer is reached by the first that both have.</param>
/// <param name="Reason">One line for logs and people.</param>
/// <param name="Errors">The process must not start: nothing would move, or not as asked. Each names the way out.</param>
/// <param name="Notes">What works, though perhaps not as meant.</param>
public sealed record MediaPlan(IReadOnlyList<string> Media, string Reason, IReadOnlyList<string> Errors, IReadOnlyList<string> Notes)
{
    /// <summary>What runs everywhere.</summary>
    public const string FallBack = "tcp,sm,self";

    /// <summary>Chooses whether UCX is there or not: the same value selects UCX's transports or Ferry's own media.</summary>
    /// <param name="ucx">Not loaded, for <see cref="MediaPreference.Managed"/>.</param>
    /// <param name="hasRdmaDevice">Whether the host shows any, for the words of an error.</param>
    public static MediaPlan Choose(UcxTls tls, MediaPreference preference, UcxFacts ucx, bool hasRdmaDevice)
    {
        if (tls.HasErrors)
        {
            return new MediaPlan([], $"UCX_TLS={tls} is wrong.", [.. tls.Problems.Where(problem => problem.IsError).Select(problem => problem.Text)], []);
        }
        var (errors, notes) = (new List<string>(), new List<string>());
        var media = new List<string>();
        string[] rdma = [.. ucx.Usable(tls, UcxTransportKind.Rdma)];
        var why = ChooseUcx(tls, preference, ucx, rdma, media, errors, notes);
        if (tls.Allows(UcxTransportKind.SharedMemory))
        {
            media.Add("shm");
        }
        if (tls.Allows(UcxTransportKind.Tcp))
        {
            media.Add("tcp");
        }
        if (tls.Allows(UcxTransportKind.Loopback))
        {
            media.Add("self");
        }
        CheckRdma(tls, ucx, rdma, media, hasRdmaDevice, errors, notes);
        if (media.Count == 0 && errors.Count == 0)
        {
            errors.Add($"UCX_TLS={tls} leaves nothing that this host has. Write UCX_TLS={FallBack}.");
        }
        else if (errors.Count == 0 && !media.Contains("ucx") && !media.Contains("tcp"))
        {
            notes.Add($"without tcp no KV reaches another host. {(tls.Denies ? "Drop tcp from the denied list." : $"Add tcp: UCX_TLS={tls},tcp.")}");
        }
        var value = tls.Text is null ? "UCX_TLS is not set" : $"UCX_TLS={tls}";
        return new MediaPlan(media, $"{value}: {(media.Count == 0 ? "nothing" : string.Join(", ", media))}{(why.Length > 0 ? $" ({why})" : "")}", errors, notes);
    }

    private static string ChooseUcx(
        UcxTls tls, MediaPreference preference, UcxFacts ucx, string[] rdma, List<string> media, List<string> errors, List<string> notes)
    {
        if (preference == MediaPreference.Managed)
        {
            return "FERRY_TRANSFER=managed";
        }
        string[] accelerators = [.. ucx.Usable(tls, UcxTransportKind.Accelerator)];
        if (preference == MediaPreference.Ucx)
        {
            if (ucx.Release is null || ucx.Resources.Count == 0)
            {
                errors.Add($"FERRY_TRANSFER=ucx, but {ucx.Reason}");
                return string.Empty;
            }
            media.Add("ucx");
            return $"FERRY_TRANSFER=ucx, UCX {ucx.Release}";
        }
        if (rdma.Length > 0 || accelerators.Length > 0)
        {
            media.Add("ucx");
            return $"UCX {ucx.Release} with {string.Join(", ", rdma.Concat(accelerators).Take(4))}";
        }
        if (ucx.Release is not null && ucx.Resources.Count > 0)
        {
            notes.Add($"UCX {ucx.Release} has no RDMA device here; over tcp and shared memory Ferry's own media are faster, so it is not used. FERRY_TRANSFER=ucx uses it all the same.");
        }
        return ucx.Release is null ? "without UCX" : string.Empty;
    }

    private static void CheckRdma(
        UcxTls tls, UcxFacts ucx, string[] rdma, List<string> media, bool hasRdmaDevice, List<string> errors, List<string> notes)
    {
        // Only who names RDMA has asked for it; "all" and a denied list take what is there.
        if (tls.AllowsAll || tls.Denies || !tls.Allows(UcxTransportKind.Rdma) || rdma.Length > 0 || errors.Count > 0)
        {
            return;
        }
        var names = string.Join(", ", tls.Entries.Where(entry => entry.Members.Any(IsRdma)).Select(entry => entry.Written));
        var cause = (hasRdmaDevice, ucx.Release) switch
        {
            (false, _) => "this host has no RDMA device (/sys/class/infiniband is empty)",
            (true, null) => "UCX is not there to use this host's RDMA devices: " + ucx.Reason,
            _ => $"UCX {ucx.Release} can use none of this host's RDMA devices (in a container: --device=/dev/infiniband and --ulimit memlock=-1)",
        };
        if (media.Contains("tcp"))
        {
            notes.Add($"UCX_TLS={tls} names {names}, but {cause}: bytes take {string.Join(", ", media)}.");
            return;
        }
        errors.Add($"UCX_TLS={tls} names {names}, but {cause}, and no tcp is named to fall back on. Write UCX_TLS={FallBack} to do without RDMA; `ferry transport info` shows what is there.");
    }

    private static bool IsRdma(string transport) => UcxNames.TryTransport(transport)?.Kind == UcxTransportKind.Rdma;
}
