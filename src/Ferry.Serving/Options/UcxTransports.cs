using Ferry.Kv.Settings;

namespace Ferry.Serving.Options;

/// <summary>Reads UCX_TLS by UCX's own grammar (ucs/config/parser.c): a comma list, case-sensitive, no spaces, <c>^</c> in front denies.</summary>
public static class UcxTransports
{
    private const int MaxValueLength = 1024;

    /// <summary>What this build can carry bytes with. "self" is the loop inside one process.</summary>
    private static readonly string[] Available = ["tcp", "self"];

    /// <summary>UCX's alias table of 1.13 to 1.22; names that are no alias stand for themselves.</summary>
    private static readonly Dictionary<string, string[]> Known = new(StringComparer.Ordinal)
    {
        ["tcp"] = ["tcp"],
        ["self"] = ["self"],
        ["mm"] = ["posix", "sysv", "xpmem"],
        ["sm"] = ["posix", "sysv", "xpmem", "knem", "cma"],
        ["shm"] = ["posix", "sysv", "xpmem", "knem", "cma"],
        ["posix"] = ["posix"],
        ["sysv"] = ["sysv"],
        ["xpmem"] = ["xpmem"],
        ["knem"] = ["knem"],
        ["cma"] = ["cma"],
        ["ib"] = ["rc_verbs", "ud_verbs", "rc_mlx5", "ud_mlx5", "dc_mlx5"],
        ["rc"] = ["rc_mlx5", "rc_verbs"],
        ["rc_v"] = ["rc_verbs"],
        ["rc_x"] = ["rc_mlx5"],
        ["rc_verbs"] = ["rc_verbs"],
        ["rc_mlx5"] = ["rc_mlx5"],
        ["ud"] = ["ud_mlx5", "ud_verbs"],
        ["ud_v"] = ["ud_verbs"],
        ["ud_x"] = ["ud_mlx5"],
        ["ud_verbs"] = ["ud_verbs"],
        ["ud_mlx5"] = ["ud_mlx5"],
        ["dc"] = ["dc_mlx5"],
        ["dc_x"] = ["dc_mlx5"],
        ["dc_mlx5"] = ["dc_mlx5"],
        ["srd"] = ["srd"],
        ["gga"] = ["gga_mlx5"],
        ["gga_mlx5"] = ["gga_mlx5"],
        ["cuda"] = ["cuda_copy", "cuda_ipc", "gdr_copy"],
        ["cuda_copy"] = ["cuda_copy"],
        ["cuda_ipc"] = ["cuda_ipc"],
        ["gdr_copy"] = ["gdr_copy"],
        ["rocm"] = ["rocm_copy", "rocm_ipc", "rocm_gdr"],
        ["rocm_copy"] = ["rocm_copy"],
        ["rocm_ipc"] = ["rocm_ipc"],
        ["rocm_gdr"] = ["rocm_gdr"],
        ["ze"] = ["ze_copy", "ze_ipc", "ze_gdr"],
        ["ze_copy"] = ["ze_copy"],
        ["ze_ipc"] = ["ze_ipc"],
        ["ze_gdr"] = ["ze_gdr"],
        ["gaudi"] = ["gaudi_gdr"],
        ["gaudi_gdr"] = ["gaudi_gdr"],
    };

    /// <summary>Selects all that this build has: what an unset UCX_TLS means.</summary>
    public static TransportSelection Default { get; } =
        new(null, Available, [], "UCX_TLS is not set: every transport of this build may be used (tcp between processes, self inside one).");

    /// <summary>Reads a value. Unknown names and values that leave nothing are errors, told through <paramref name="value"/>.</summary>
    public static TransportSelection Parse(SettingValue value)
    {
        var text = value.Text;
        if (text.Length == 0 || text.Length > MaxValueLength)
        {
            value.Error(text.Length == 0
                ? "UCX_TLS is empty, which UCX refuses. Unset it, or name transports, for example UCX_TLS=tcp,self."
                : $"UCX_TLS has {text.Length} characters; at most {MaxValueLength} are read.");
            return Default;
        }
        var denies = text[0] == '^';
        var names = (denies ? text[1..] : text).Split(',');
        if (names.Contains("all"))
        {
            if (names.Length > 1)
            {
                value.Error("UCX_TLS: 'all' must stand alone; UCX refuses it in a list.");
            }
            return Default with { Value = text, Reason = "UCX_TLS=all: every transport of this build may be used (tcp, self)." };
        }
        var named = new HashSet<string>(StringComparer.Ordinal);
        var unavailable = new List<string>();
        foreach (var name in names)
        {
            Resolve(value, name, named, unavailable);
        }
        string[] selected = [.. Available.Where(name => named.Contains(name) != denies)];
        return Conclude(value, denies, selected, denies ? [] : unavailable);
    }

    private static void Resolve(SettingValue value, string written, HashSet<string> named, List<string> unavailable)
    {
        // "\name" is the exact transport without aliases; "name:aux" only as a bootstrap, which Ferry has no use for.
        var exact = written.StartsWith('\\');
        var name = exact ? written[1..] : written;
        var auxiliary = name.EndsWith(":aux", StringComparison.Ordinal);
        name = auxiliary ? name[..^4] : name;
        if (!Known.TryGetValue(name, out var members) || (exact && !members.Contains(name)))
        {
            var trimmed = written.Trim();
            value.Error(written != trimmed && Known.ContainsKey(trimmed)
                ? $"UCX_TLS contains '{written}': UCX does not trim spaces, so this names no transport. Write {trimmed}."
                : written.StartsWith('^')
                    ? $"UCX_TLS contains '{written}': '^' counts only in front of the whole list and denies all of it."
                    : $"UCX_TLS names '{written}', which is no UCX transport or alias.{NameHint.Of(written, Known.Keys)}");
            return;
        }
        if (!auxiliary)
        {
            named.UnionWith(members);
        }
        if (!members.Any(Available.Contains))
        {
            unavailable.Add(written);
        }
    }

    private static TransportSelection Conclude(SettingValue value, bool denies, string[] selected, List<string> unavailable)
    {
        if (unavailable.Count > 0)
        {
            value.Warn($"this build has no {string.Join(", ", unavailable)} (it has {string.Join(", ", Available)}); " +
                (selected.Length > 0 ? $"KV moves over {string.Join(", ", selected)}." : "nothing that was named is left."));
        }
        if (!selected.Contains("tcp"))
        {
            value.Warn("without tcp no KV reaches another process: every hand-over will be recomputed. " +
                (denies ? "Drop tcp from the denied list." : $"Add tcp: UCX_TLS={value.Text},tcp."));
        }
        var reason = selected.Length == 0
            ? $"UCX_TLS={value.Text} selects no transport of this build."
            : $"UCX_TLS={value.Text} selects {string.Join(", ", selected)}.";
        return new TransportSelection(value.Text, selected, unavailable, reason);
    }
}
