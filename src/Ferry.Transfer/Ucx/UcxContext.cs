using System.Text;
using Ferry.Kv.Ucx;
using Ferry.Transfer.Ucx.Native;

namespace Ferry.Transfer.Ucx;

/// <summary>One ucp_context: the transports that may be used, and the memory that is mapped for them. Thread-safe.</summary>
internal sealed unsafe class UcxContext : IDisposable
{
    private UcxContext(UcxLibrary library, UcxHandle handle, UcxOptions options)
    {
        Library = library;
        Handle = handle;
        Options = options;
    }

    public UcxLibrary Library { get; }

    public UcxOptions Options { get; }

    internal UcxHandle Handle { get; }

    internal UcpApi Api => Library.Api;

    /// <summary>Makes a context.</summary>
    /// <param name="more">Features beside RMA, messages and wake-up that the peers' addresses need.</param>
    /// <exception cref="TransferConfigurationException">UCX is not there, or the options leave no transport; the message says what to change.</exception>
    public static UcxContext Create(UcxOptions options, UcpFeatures more = UcpFeatures.None)
    {
        var library = UcxLibrary.Require();
        if (options.Validate(library.Version) is { Count: > 0 } errors)
        {
            throw new TransferConfigurationException(string.Join(Environment.NewLine, errors));
        }
        var api = library.Api;
        void* config;
        Check(api, api.ConfigRead(null, null, &config), "ucp_config_read");
        void* context;
        UcsStatus status;
        try
        {
            foreach (var (name, value) in Settings(options))
            {
                Modify(api, config, name, value);
            }
            var parameters = new UcpParams
            {
                FieldMask = UcpParams.FieldFeatures | UcpParams.FieldMtWorkersShared,
                Features = UcpFeatures.Rma | UcpFeatures.ActiveMessages | UcpFeatures.Wakeup | more,
                MtWorkersShared = 1,
            };
            status = (UcsStatus)api.InitVersion((uint)UcxVersion.Oldest.Major, (uint)UcxVersion.Oldest.Minor, &parameters, config, &context);
        }
        finally
        {
            api.ConfigRelease(config);
        }
        if (status != UcsStatus.Ok)
        {
            throw new TransferConfigurationException(Explain(library, options, status));
        }
        return new UcxContext(library, new UcxHandle((nint)context, native => api.Cleanup((void*)native), UcxHandleCounts.Context), options);
    }

    /// <summary>Maps memory of the caller, who keeps it allocated until the result is disposed.</summary>
    /// <param name="memoryType">Such as <c>rocm</c>; null lets UCX find out.</param>
    /// <exception cref="UcxException">UCX cannot: the locked-memory limit, or memory that it has no transport for.</exception>
    public UcxMemory Map(nint address, long bytes, string? memoryType = null)
    {
        var parameters = new UcpMemMapParams
        {
            FieldMask = UcpMemMapParams.FieldAddress | UcpMemMapParams.FieldLength,
            Address = (void*)address,
            Length = (nuint)bytes,
        };
        return Map(parameters, memoryType);
    }

    /// <summary>Lets UCX allocate host memory, in a segment that its shared-memory transports can map on both sides.</summary>
    /// <exception cref="UcxException">UCX cannot.</exception>
    public UcxMemory Allocate(long bytes)
    {
        var parameters = new UcpMemMapParams
        {
            FieldMask = UcpMemMapParams.FieldAddress | UcpMemMapParams.FieldLength | UcpMemMapParams.FieldFlags,
            Length = (nuint)bytes,
            Flags = UcpMemMapParams.FlagAllocate,
        };
        return Map(parameters, null);
    }

    /// <summary>The transports and devices that this context can use, as <c>transport/device</c>; those that UCX_TLS leaves out are not there.</summary>
    public IReadOnlyList<string> Resources()
    {
        var names = new List<string>();
        foreach (var line in UcxLibrary.Printed(stream => Api.ContextPrintInfo((void*)Handle.DangerousGetHandle(), (void*)stream)).Split('\n'))
        {
            // "#      resource 3  :  md 2  dev 1  flags -- tcp/eth0"
            if (line.Contains(" resource ", StringComparison.Ordinal)
                && line.TrimEnd().Split(' ')[^1] is var name && name.Contains('/', StringComparison.Ordinal))
            {
                names.Add(name);
            }
        }
        return names;
    }

    public void Dispose() => Handle.Dispose();

    private UcxMemory Map(UcpMemMapParams parameters, string? memoryType)
    {
        if (memoryType is not null)
        {
            var known = Api.MemoryTypeNames();
            var index = known.ToList().IndexOf(memoryType);
            if (index < 0)
            {
                throw new UcxException($"UCX {Library.Release} knows no memory of type '{memoryType}', only {string.Join(", ", known)}.", UcsStatus.Unsupported);
            }
            parameters.FieldMask |= UcpMemMapParams.FieldMemoryType;
            parameters.MemoryType = index;
        }
        void* memory;
        var status = (UcsStatus)Api.MemMap((void*)Handle.DangerousGetHandle(), &parameters, &memory);
        if (status != UcsStatus.Ok)
        {
            throw new UcxException($"ucp_mem_map of {parameters.Length} bytes{(memoryType is null ? "" : $" of {memoryType}")}: {Api.Describe(status)}. "
                + "Over RDMA memory is locked: see ulimit -l. Memory of an accelerator needs its transport (rocm, gaudi) in UCX_TLS.", status);
        }
        var handle = new UcxHandle((nint)memory, native => Api.MemUnmap((void*)Handle.DangerousGetHandle(), (void*)native), UcxHandleCounts.Memory, Handle);
        try
        {
            var attributes = new UcpMemAttributes
            {
                FieldMask = UcpMemAttributes.FieldAddress | UcpMemAttributes.FieldLength | UcpMemAttributes.FieldMemoryType,
            };
            Check(Api, Api.MemQuery(memory, &attributes), "ucp_mem_query");
            var address = parameters.Address is null ? (nint)attributes.Address : (nint)parameters.Address;
            return new UcxMemory(handle, address, (long)parameters.Length, Api.MemoryTypeName(attributes.MemoryType), PackKey(memory));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private byte[] PackKey(void* memory)
    {
        void* buffer;
        nuint bytes;
        Check(Api, Api.KeyPack((void*)Handle.DangerousGetHandle(), memory, &buffer, &bytes), "ucp_rkey_pack");
        try
        {
            return new ReadOnlySpan<byte>(buffer, (int)bytes).ToArray();
        }
        finally
        {
            Api.KeyBufferRelease(buffer);
        }
    }

    // With notice of dead peers UCX gives up zero copy on tcp and cma unless rendezvous is off: 4 to 6 times slower at 1 MiB.
    private static IEnumerable<(string Name, string Value)> Settings(UcxOptions options)
    {
        if (options.Transports is { } transports)
        {
            yield return ("TLS", transports);
        }
        if (IsUnset("UCX_RNDV_THRESH"))
        {
            yield return ("RNDV_THRESH", "inf");
        }
    }

    private static bool IsUnset(string name) => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name));

    private static void Modify(UcpApi api, void* config, string name, string value)
    {
        fixed (byte* nameBytes = Terminated(name))
        fixed (byte* valueBytes = Terminated(value))
        {
            Check(api, api.ConfigModify(config, nameBytes, valueBytes), $"ucp_config_modify({name}={value})");
        }
    }

    private static byte[] Terminated(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static string Explain(UcxLibrary library, UcxOptions options, UcsStatus status)
    {
        var asked = options.Transports ?? Environment.GetEnvironmentVariable("UCX_TLS") ?? "all";
        return status == UcsStatus.NoDevice
            ? $"UCX {library.Release} has no device for any of the transports UCX_TLS={asked}. `ferry transport info` shows what it has; tcp,sm,self runs everywhere."
            : $"UCX {library.Release} does not start with UCX_TLS={asked}: {library.Api.Describe(status)}. Its own lines on stderr say more.";
    }

    private static void Check(UcpApi api, sbyte status, string call)
    {
        if (status < 0)
        {
            throw new UcxException($"{call}: {api.Describe((UcsStatus)status)}.", (UcsStatus)status);
        }
    }
}
