using System.Runtime.InteropServices;

namespace Ferry.IntegrationTests.Transfer.Accelerators;

/// <summary>An accelerator vendor's allocator. HIP's and CUDA's have the same calls under other names.</summary>
internal sealed unsafe class AcceleratorRuntime
{
    private const int AnyDirection = 4; // hipMemcpyDefault, cudaMemcpyDefault

    private static readonly (string MemoryType, string Prefix, string[] Libraries)[] Vendors =
    [
        ("rocm", "hip", ["libamdhip64.so"]),
        ("cuda", "cuda", ["libcudart.so", "libcudart.so.13", "libcudart.so.12"]),
    ];

    private readonly delegate* unmanaged[Cdecl]<nint*, nuint, int> _malloc;
    private readonly delegate* unmanaged[Cdecl]<nint, int> _free;
    private readonly delegate* unmanaged[Cdecl]<void*, void*, nuint, int, int> _copy;

    private AcceleratorRuntime(string memoryType, string prefix, nint library)
    {
        MemoryType = memoryType;
        _malloc = (delegate* unmanaged[Cdecl]<nint*, nuint, int>)NativeLibrary.GetExport(library, prefix + "Malloc");
        _free = (delegate* unmanaged[Cdecl]<nint, int>)NativeLibrary.GetExport(library, prefix + "Free");
        _copy = (delegate* unmanaged[Cdecl]<void*, void*, nuint, int, int>)NativeLibrary.GetExport(library, prefix + "Memcpy");
    }

    public const string Missing = "No accelerator's runtime is here (libamdhip64.so, libcudart.so), or it finds no device.";

    /// <summary>UCX's name for the memory, and the alias of its transports.</summary>
    public string MemoryType { get; }

    /// <summary>The first runtime that is installed and can allocate, or null.</summary>
    public static AcceleratorRuntime? TryLoad()
    {
        foreach (var (memoryType, prefix, libraries) in Vendors)
        {
            foreach (var name in libraries)
            {
                if (NativeLibrary.TryLoad(name, out var library) && new AcceleratorRuntime(memoryType, prefix, library) is var runtime && runtime.CanAllocate())
                {
                    return runtime;
                }
            }
        }
        return null;
    }

    public nint Allocate(int bytes)
    {
        nint address;
        Check(_malloc(&address, (nuint)bytes), nameof(Allocate));
        return address;
    }

    public void Free(nint address) => Check(_free(address), nameof(Free));

    public void Put(ReadOnlySpan<byte> source, nint target)
    {
        fixed (byte* bytes = source)
        {
            Check(_copy((void*)target, bytes, (nuint)source.Length, AnyDirection), nameof(Put));
        }
    }

    public byte[] Get(nint source, int count)
    {
        var target = new byte[count];
        fixed (byte* bytes = target)
        {
            Check(_copy(bytes, (void*)source, (nuint)count, AnyDirection), nameof(Get));
        }
        return target;
    }

    private bool CanAllocate()
    {
        nint address;
        return _malloc(&address, 4096) == 0 && _free(address) == 0;
    }

    private void Check(int status, string call)
    {
        if (status != 0)
        {
            throw new InvalidOperationException($"{call} of {MemoryType} memory failed with {status}.");
        }
    }
}
