using Ferry.Cluster.Spec;
using Ferry.Kv.Settings;

namespace Ferry.Cluster.Reading;

/// <summary>What must hold between the keys of one file before anything can be made of it. What is merely unwise, or fails later, is lint's.</summary>
internal static class ClusterSpecRules
{
    public static void Check(ClusterSpec spec, SpecReader reader)
    {
        CheckProfiles(spec, reader);
        CheckPools(spec, reader);
        CheckNodes(spec, reader);
        CheckHandover(spec, reader);
        if (spec.Storage.S3 is { } s3 && (s3.AccessKey is null) != (s3.SecretKey is null))
        {
            reader.ErrorAt("storage.s3", $"storage.s3 has {(s3.AccessKey is null ? "secretKey but no accessKey" : "accessKey but no secretKey")}; give both, or neither for the standard chain of AWS.");
        }
        foreach (var pool in spec.Plan.Prices.Keys.Where(name => spec.Pools.All(pool => pool.Name != name)))
        {
            reader.ErrorAt($"plan.prices.{pool}", $"plan.prices.{pool}: there is no pool {pool}.{NameHint.Of(pool, spec.Pools.Select(known => known.Name))}");
        }
    }

    private static void CheckProfiles(ClusterSpec spec, SpecReader reader)
    {
        foreach (var (name, profile) in spec.Profiles)
        {
            if (profile.Base is { } known && !AcceleratorProfiles.ByName.ContainsKey(known))
            {
                reader.ErrorAt($"profiles.{name}.base", $"profiles.{name}.base is '{known}'; it must be one of {string.Join(", ", AcceleratorProfiles.ByName.Keys)}.{NameHint.Of(known, AcceleratorProfiles.ByName.Keys)}");
            }
        }
    }

    private static void CheckPools(ClusterSpec spec, SpecReader reader)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < spec.Pools.Count; index++)
        {
            var (pool, path) = (spec.Pools[index], $"pools[{index}]");
            if (!names.Add(pool.Name))
            {
                reader.ErrorAt($"{path}.name", $"{path}.name is '{pool.Name}', as another pool's; each has a name of its own.");
            }
            if (AcceleratorProfiles.TryResolve(pool.Accelerator, spec.Profiles) is null)
            {
                string[] known = [.. AcceleratorProfiles.ByName.Keys, .. spec.Profiles.Keys];
                reader.ErrorAt($"{path}.accelerator", $"{path}.accelerator is '{pool.Accelerator}'; known are {string.Join(", ", known)}.{NameHint.Of(pool.Accelerator, known)} One of your own stands in profiles.");
            }
            CheckDevices(pool.Devices, pool, $"{path}.devices", reader);
        }
        if (!spec.PrefillPools.Any() || !spec.DecodePools.Any())
        {
            var missing = spec.PrefillPools.Any() ? "decode" : "prefill";
            reader.ErrorAt("pools", $"pools has none of role {missing} or both: nobody would {(missing == "decode" ? "generate" : "compute prompts")}.");
        }
    }

    private static void CheckNodes(ClusterSpec spec, SpecReader reader)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var addresses = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (var poolIndex = 0; poolIndex < spec.Pools.Count; poolIndex++)
        {
            var pool = spec.Pools[poolIndex];
            for (var index = 0; index < pool.Nodes.Count; index++)
            {
                var (node, path) = (pool.Nodes[index], $"pools[{poolIndex}].nodes[{index}]");
                if (!names.Add(node.Name))
                {
                    reader.ErrorAt($"{path}.name", $"{path}.name is '{node.Name}', as another node's; containers are named after it.");
                }
                var address = $"{node.Address}:{ClusterSpec.PortOf(pool, node)}";
                if (!addresses.TryAdd(address, node.Name))
                {
                    reader.ErrorAt($"{path}.address", $"{path} listens at {address}, as {addresses[address]} does; give one of them another port.");
                }
                CheckDevices(node.Devices, pool, $"{path}.devices", reader);
            }
        }
    }

    /// <summary>Only ferry serve's exchanges push: vLLM's engines bring their KV to a store and look for it there.</summary>
    private static void CheckHandover(ClusterSpec spec, SpecReader reader)
    {
        if (spec.Handover.Mode != HandoverMode.Pull && spec.Pools.FirstOrDefault(pool => pool.Engine.Kind != EngineKind.Ferry) is { } other)
        {
            reader.ErrorAt("handover.mode", $"handover.mode is {SpecNames.Of(spec.Handover.Mode)}, and pool {other.Name} has engine.kind {SpecNames.Of(other.Engine.Kind)}: only ferry serve's own exchange pushes. Leave the key out, or give every pool engine.kind ferry.");
        }
    }

    private static void CheckDevices(IReadOnlyList<int>? devices, PoolSpec pool, string path, SpecReader reader)
    {
        if (devices is null)
        {
            return;
        }
        if (devices.Distinct().Count() != devices.Count)
        {
            reader.ErrorAt(path, $"{path} names a device twice.");
        }
        else if (devices.Count < pool.TensorParallel)
        {
            reader.ErrorAt(path, $"{path} has {devices.Count} devices, fewer than tensorParallel {pool.TensorParallel}: each rank needs one.");
        }
    }
}
