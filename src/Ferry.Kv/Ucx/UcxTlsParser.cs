using System.Globalization;
using Ferry.Kv.Settings;

namespace Ferry.Kv.Ucx;

/// <summary>Reads one UCX_TLS value and collects every problem of it.</summary>
internal sealed class UcxTlsParser(string? text, UcxVersion version, UcxVendor vendor)
{
    private const string AuxiliarySuffix = ":aux";

    /// <summary>What people write and UCX does not know, with what they mean.</summary>
    private static readonly Dictionary<string, string> Mistaken = new(StringComparer.OrdinalIgnoreCase)
    {
        ["rdma"] = "For RDMA over InfiniBand or RoCE write rc.",
        ["roce"] = "RoCE is rc, as InfiniBand is.",
        ["infiniband"] = "InfiniBand is rc, or ib for all of its transports.",
        ["verbs"] = "The transports over verbs are rc_verbs and ud_verbs; rc stands for both kinds.",
        ["rdmacm"] = "rdmacm makes connections and is chosen by UCX_SOCKADDR_TLS_PRIORITY; for RDMA write rc.",
        ["gpu"] = "Name the maker's: rocm for AMD, gaudi for Gaudi.",
        ["amd"] = "AMD's accelerators are rocm.",
        ["hip"] = "AMD's accelerators are rocm.",
        ["hpu"] = "Gaudi is gaudi, or gaudi_gdr.",
        ["habana"] = "Gaudi is gaudi, or gaudi_gdr.",
        ["gaudi_copy"] = "There is none: gaudi_gdr is all that UCX has for Gaudi.",
        ["gaudi_ipc"] = "There is none: gaudi_gdr is all that UCX has for Gaudi.",
        ["shmem"] = "Shared memory is sm.",
        ["loopback"] = "The loop inside a process is self; 127.0.0.1 is tcp.",
        ["eth"] = "Ethernet is tcp; which interface, UCX_NET_DEVICES says.",
        ["ethernet"] = "Ethernet is tcp; which interface, UCX_NET_DEVICES says.",
        ["sockets"] = "Sockets are tcp.",
    };

    private readonly List<UcxTlsProblem> _problems = [];
    private readonly List<UcxTlsEntry> _entries = [];
    private readonly HashSet<string> _data = new(StringComparer.Ordinal);
    private readonly HashSet<string> _auxiliary = new(StringComparer.Ordinal);

    public UcxTls Parse()
    {
        if (text is null)
        {
            return Conclude(denies: true);
        }
        if (text.Length is 0 or > UcxTls.CharactersMax)
        {
            Add(text.Length == 0 ? UcxTlsProblemKind.Empty : UcxTlsProblemKind.TooLong, "", true, text.Length == 0
                ? "UCX_TLS is empty, which UCX refuses. Unset it, or name transports: UCX_TLS=tcp,sm,self."
                : string.Create(CultureInfo.InvariantCulture, $"UCX_TLS has {text.Length} characters; at most {UcxTls.CharactersMax} are read."));
            return Conclude(denies: false);
        }
        var denies = text[0] == '^';
        var names = (denies ? text[1..] : text).Split(',');
        if (names is ["all"])
        {
            if (denies)
            {
                Add(UcxTlsProblemKind.Misplaced, "all", true, "UCX_TLS=^all denies every transport. Unset it, or name what is denied: UCX_TLS=^ud.");
            }
            return Conclude(!denies);
        }
        foreach (var name in names)
        {
            Read(name);
        }
        CheckVendor(denies);
        var tls = Conclude(denies);
        if (_problems.Count == 0 && !tls.CarriesMessages)
        {
            Add(UcxTlsProblemKind.NoMessages, "", false,
                $"UCX_TLS={text} leaves no transport that carries messages between hosts and notices a dead peer (rc, dc, ud, srd or tcp): "
                + $"NIXL does not start with it. {(denies ? "Deny less." : $"Add tcp: UCX_TLS={text},tcp.")}");
        }
        return tls;
    }

    private void Read(string written)
    {
        var isExact = written.StartsWith('\\');
        var name = isExact ? written[1..] : written;
        var isAuxiliary = name.EndsWith(AuxiliarySuffix, StringComparison.Ordinal);
        name = isAuxiliary ? name[..^AuxiliarySuffix.Length] : name;
        var alias = isExact ? null : UcxNames.TryAlias(name);
        var transport = UcxNames.TryTransport(name);
        if (alias is null && transport is null)
        {
            _entries.Add(new UcxTlsEntry(written, name, [], []));
            Refuse(written, name, isExact);
            return;
        }
        string[] members = [.. (alias?.Members ?? [name]).Where(member => UcxNames.TryTransport(member)!.IsIn(version))];
        string[] auxiliary = isAuxiliary ? members : [.. (alias?.Auxiliary ?? []).Where(member => UcxNames.TryTransport(member)!.IsIn(version))];
        var entry = new UcxTlsEntry(written, name, isAuxiliary ? [] : members, auxiliary);
        _entries.Add(entry);
        if (members.Length == 0 || alias?.Since > version)
        {
            WarnOfRelease(written, alias, transport);
            return;
        }
        _data.UnionWith(entry.Members);
        _auxiliary.UnionWith(entry.Auxiliary);
    }

    private void WarnOfRelease(string written, UcxAlias? alias, UcxTransport? transport)
    {
        var since = alias?.Since ?? transport!.Since;
        Add(UcxTlsProblemKind.OtherRelease, written, false, since > version
            ? $"UCX_TLS names '{written}', which UCX knows from {since} on; {version} passes it over with a warning."
            : $"UCX_TLS names '{written}', which UCX {transport?.RemovedIn} removed; {version} passes it over with a warning. Leave it out.");
    }

    private void Refuse(string written, string name, bool isExact)
    {
        var trimmed = written.Trim();
        if (trimmed.Length == 0)
        {
            Add(UcxTlsProblemKind.Empty, written, true, $"UCX_TLS={text} has no name between two commas, or at an end. Remove the comma.");
        }
        else if (trimmed != written || written.Any(char.IsWhiteSpace))
        {
            Add(UcxTlsProblemKind.Space, written, true,
                $"UCX_TLS contains '{written}': UCX does not trim spaces, so this names no transport. Write {string.Join(',', written.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))}.");
        }
        else if (name == "all")
        {
            Add(UcxTlsProblemKind.Misplaced, written, true, "UCX_TLS: 'all' must stand alone; UCX refuses it in a list.");
        }
        else if (written.StartsWith('^'))
        {
            Add(UcxTlsProblemKind.Misplaced, written, true,
                $"UCX_TLS contains '{written}': '^' counts only in front of the whole list and denies all of it. Leave {written[1..]} out, or begin with ^ and name only what is denied.");
        }
        else if (isExact && UcxNames.TryAlias(name) is { } alias)
        {
            Add(UcxTlsProblemKind.Unknown, written, true,
                $"UCX_TLS names '{written}', which is no UCX transport: '\\' switches aliases off. Write {name}, or one of {string.Join(", ", alias.Members)}.");
        }
        else
        {
            Add(UcxTlsProblemKind.Unknown, written, true,
                $"UCX_TLS names '{written}', which is no UCX transport or alias.{(Mistaken.TryGetValue(name, out var meant) ? $" {meant}" : Nearest(name))}");
        }
    }

    // Names of one letter's difference only in case are told as such: UCX looks at case.
    private static string Nearest(string name) =>
        UcxNames.Words.FirstOrDefault(word => string.Equals(word, name, StringComparison.OrdinalIgnoreCase)) is { } same
            ? $" Did you mean {same}? UCX looks at upper and lower case."
            : NameHint.Of(name, UcxNames.Words);

    // Names that are denied harm nobody.
    private void CheckVendor(bool denies)
    {
        if (denies || vendor == UcxVendor.Any)
        {
            return;
        }
        string[] foreign = [.. _entries.Where(entry => VendorOf(entry) is not UcxVendor.Any and var other && other != vendor).Select(entry => entry.Written)];
        if (foreign.Length == 0)
        {
            return;
        }
        var makers = _entries.Where(entry => foreign.Contains(entry.Written)).Select(entry => Maker(VendorOf(entry))).Distinct();
        Add(UcxTlsProblemKind.ForeignAccelerator, string.Join(',', foreign), true,
            $"UCX_TLS names {string.Join(", ", foreign)}, for {string.Join(" and ", makers)} only; this node has {Maker(vendor)}. {Advice(foreign)}");
    }

    private static UcxVendor VendorOf(UcxTlsEntry entry)
    {
        var names = entry.Members.Concat(entry.Auxiliary).DefaultIfEmpty(UcxNames.TryAlias(entry.Name)?.Members[0] ?? entry.Name);
        var transport = UcxNames.TryTransport(names.First());
        return transport is { Kind: UcxTransportKind.Accelerator } ? transport.Vendor : UcxVendor.Any;
    }

    private string Advice(string[] foreign)
    {
        string[] kept = [.. _entries.Select(entry => entry.Written).Where(written => !foreign.Contains(written))];
        var own = vendor switch { UcxVendor.Amd => "rocm", UcxVendor.Gaudi => "gaudi", UcxVendor.IntelGpu => "ze", _ => "cuda" };
        var list = kept.Contains(own) ? kept : kept.Append(own);
        var full = list.Union(["sm", "self"]);
        return $"Write {own} in their place: UCX_TLS={string.Join(',', full)}. With KV in host memory (kv_buffer_device=cpu) neither is needed: "
            + $"UCX_TLS={string.Join(',', kept.Where(one => one != own).Union(["tcp", "sm", "self"]))}.";
    }

    private static string Maker(UcxVendor one) => one switch
    {
        UcxVendor.Amd => "AMD (ROCm)",
        UcxVendor.Gaudi => "Intel Gaudi",
        UcxVendor.IntelGpu => "Intel graphics (Level Zero)",
        UcxVendor.Nvidia => "NVIDIA (CUDA)",
        _ => "no accelerator",
    };

    private UcxTls Conclude(bool denies)
    {
        if (!denies)
        {
            return new UcxTls(text, version, text?.StartsWith('^') ?? false, _entries, _problems, _data, _auxiliary);
        }
        // What a list denies it denies for data; "^ud" leaves ud to make connections, "^ud:aux" takes only that away.
        var data = UcxNames.Transports.Where(one => one.IsIn(version) && !_data.Contains(one.Name)).Select(one => one.Name);
        var auxiliary = UcxNames.Transports.Where(one => one.IsIn(version) && !IsDeniedAuxiliary(one.Name)).Select(one => one.Name);
        return new UcxTls(text, version, text is not (null or "all"), _entries, _problems,
            new HashSet<string>(data, StringComparer.Ordinal), new HashSet<string>(auxiliary, StringComparer.Ordinal));
    }

    private bool IsDeniedAuxiliary(string name) =>
        _entries.Any(entry => entry.Written.EndsWith(AuxiliarySuffix, StringComparison.Ordinal) && entry.Auxiliary.Contains(name));

    private void Add(UcxTlsProblemKind kind, string entry, bool isError, string problem) => _problems.Add(new UcxTlsProblem(kind, entry, problem, isError));
}
