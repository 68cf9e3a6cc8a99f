using Ferry.Cluster.Rendering;
using k8s;
using k8s.Models;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Ferry.UnitTests.Cluster.Rendering;

/// <summary>Manifests as the API server would take them: strict models, and what models do not see: names, selectors, ports, images, references.</summary>
public sealed class KubernetesManifestTests
{
    public static TheoryData<string> Names() => RenderCases.Names();

    [Theory]
    [MemberData(nameof(Names))]
    public void Manifests_OfTheProfile_AreWhatKubernetesModelsAndEveryReferenceLeadsSomewhere(string name)
    {
        var objects = Objects(name);
        var pods = objects.SelectMany(Pods).ToList();
        Assert.NotEmpty(pods);
        foreach (var one in objects)
        {
            Assert.Matches("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", ((IMetadata<V1ObjectMeta>)one).Metadata.Name);
        }
        foreach (var duplicate in objects.GroupBy(one => (one.Kind, ((IMetadata<V1ObjectMeta>)one).Metadata.Name)).Where(group => group.Count() > 1))
        {
            Assert.Fail($"{duplicate.Key} stands there twice.");
        }
        foreach (var (owner, template) in pods)
        {
            CheckPod(owner, template, objects);
        }
        foreach (var service in objects.OfType<V1Service>())
        {
            var selected = pods.Where(pod => Matches(service.Spec.Selector, pod.Template.Metadata.Labels)).ToList();
            var (_, template) = Assert.Single(selected);
            var ports = template.Spec.Containers.SelectMany(container => container.Ports).Select(port => port.Name).ToHashSet();
            Assert.All(service.Spec.Ports, port => Assert.Contains(port.TargetPort.Value, ports));
        }
        foreach (var budget in objects.OfType<V1PodDisruptionBudget>())
        {
            Assert.Single(pods, pod => Matches(budget.Spec.Selector.MatchLabels, pod.Template.Metadata.Labels));
        }
        foreach (var policy in objects.OfType<V1NetworkPolicy>().Where(policy => policy.Spec.PodSelector.MatchLabels is not null))
        {
            Assert.Single(pods, pod => Matches(policy.Spec.PodSelector.MatchLabels, pod.Template.Metadata.Labels));
        }
        Assert.Equal(pods.Count, objects.OfType<V1PodDisruptionBudget>().Count());
        Assert.Equal(pods.Count + 1, objects.OfType<V1NetworkPolicy>().Count());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Kustomization_OfTheProfile_NamesEveryManifest(string name)
    {
        var files = RenderCases.Render(name, RenderTarget.Kubernetes).Files;
        var kustomization = (YamlMappingNode)Parse(files.Single(file => file.Path == "kustomization.yaml").Content).Single().RootNode;
        var resources = ((YamlSequenceNode)kustomization.Children["resources"]).Select(node => ((YamlScalarNode)node).Value!).Order(StringComparer.Ordinal);
        Assert.Equal(files.Select(file => file.Path).Where(path => path is not ("kustomization.yaml" or "README.md")), resources);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ServiceMonitors_OfTheProfile_SelectAServiceAndOneOfItsPorts(string name)
    {
        var services = Objects(name).OfType<V1Service>().ToList();
        var monitors = Parse(RenderCases.Render(name, RenderTarget.Kubernetes).Files.Single(file => file.Path == "monitoring.yaml").Content);
        Assert.NotEmpty(monitors);
        foreach (var monitor in monitors)
        {
            var spec = (YamlMappingNode)((YamlMappingNode)monitor.RootNode).Children["spec"];
            var labels = ((YamlMappingNode)((YamlMappingNode)spec.Children["selector"]).Children["matchLabels"]).ToDictionary(entry => ((YamlScalarNode)entry.Key).Value!, entry => ((YamlScalarNode)entry.Value).Value!);
            var service = Assert.Single(services, service => Matches(labels, service.Metadata.Labels));
            var port = ((YamlScalarNode)((YamlMappingNode)((YamlSequenceNode)spec.Children["endpoints"]).Single()).Children["port"]).Value;
            Assert.Contains(service.Spec.Ports, one => one.Name == port);
        }
    }

    private static void CheckPod(string owner, V1PodTemplateSpec template, List<IKubernetesObject> objects)
    {
        var spec = template.Spec;
        Assert.False(spec.AutomountServiceAccountToken ?? true, owner);
        Assert.Contains(objects.OfType<V1ServiceAccount>(), account => account.Metadata.Name == spec.ServiceAccountName);
        var claims = objects.OfType<V1StatefulSet>().Where(set => set.Metadata.Name == owner).SelectMany(set => set.Spec.VolumeClaimTemplates ?? []).Select(claim => claim.Metadata.Name);
        var volumes = (spec.Volumes ?? []).Select(volume => volume.Name).Concat(claims).ToList();
        Assert.Equal(volumes.Count, volumes.Distinct().Count());
        foreach (var container in spec.Containers)
        {
            Assert.Matches(@"^[a-z0-9./_-]+:[A-Za-z0-9._-]+$", container.Image);
            Assert.DoesNotContain(":latest", container.Image, StringComparison.Ordinal);
            Assert.Equal(volumes.Order(StringComparer.Ordinal), container.VolumeMounts.Select(mount => mount.Name).Order(StringComparer.Ordinal));
            Assert.All([container.StartupProbe, container.ReadinessProbe, container.LivenessProbe], probe => Assert.Contains(container.Ports, port => $"{port.ContainerPort}" == probe.HttpGet.Port.Value));
            Assert.Equal(container.Env?.Count ?? 0, (container.Env ?? []).Select(variable => variable.Name).Distinct().Count());
            CheckReferences(owner, container);
        }
        foreach (var config in (spec.Volumes ?? []).SelectMany(volume => volume.Projected?.Sources ?? []).Select(source => source.ConfigMap?.Name).OfType<string>())
        {
            Assert.Contains(objects.OfType<V1ConfigMap>(), map => map.Metadata.Name == config);
        }
        foreach (var claim in (spec.Volumes ?? []).Select(volume => volume.PersistentVolumeClaim?.ClaimName).OfType<string>())
        {
            Assert.Contains(objects.OfType<V1PersistentVolumeClaim>(), one => one.Metadata.Name == claim);
        }
    }

    /// <summary><c>$(NAME)</c> is replaced only by a variable that stands above it.</summary>
    private static void CheckReferences(string owner, V1Container container)
    {
        var known = new HashSet<string>();
        foreach (var variable in container.Env ?? [])
        {
            Assert.True(References(variable.Value).All(known.Contains), $"{owner}: {variable.Name} names a variable that does not stand above it.");
            Assert.True(variable.Value is not null ^ variable.ValueFrom is not null, $"{owner}: {variable.Name}");
            known.Add(variable.Name);
        }
        Assert.All(container.Args.SelectMany(References), reference => Assert.Contains(reference, known));
    }

    private static IEnumerable<string> References(string? text) =>
        System.Text.RegularExpressions.Regex.Matches(text ?? "", @"\$\(([A-Z_]+)\)").Select(match => match.Groups[1].Value);

    private static bool Matches(IDictionary<string, string> selector, IDictionary<string, string> labels) =>
        selector.Count > 0 && selector.All(entry => labels.TryGetValue(entry.Key, out var value) && value == entry.Value);

    private static IEnumerable<(string Owner, V1PodTemplateSpec Template)> Pods(IKubernetesObject one) => one switch
    {
        V1StatefulSet set => Workload(set.Metadata.Name, set.Spec.Selector, set.Spec.Template),
        V1Deployment deployment => Workload(deployment.Metadata.Name, deployment.Spec.Selector, deployment.Spec.Template),
        _ => [],
    };

    private static IEnumerable<(string Owner, V1PodTemplateSpec Template)> Workload(string owner, V1LabelSelector selector, V1PodTemplateSpec template)
    {
        Assert.True(Matches(selector.MatchLabels, template.Metadata.Labels), $"{owner}: its selector does not match its own pods.");
        yield return (owner, template);
    }

    /// <summary>Every object but ServiceMonitors, read so that an unknown field, a wrong type or a bad quantity is an error.</summary>
    private static List<IKubernetesObject> Objects(string name) =>
        [.. RenderCases.Render(name, RenderTarget.Kubernetes).Files.Where(file => file.Path.EndsWith(".yaml", StringComparison.Ordinal) && file.Path is not ("kustomization.yaml" or "monitoring.yaml"))
            .SelectMany(file => KubernetesYaml.LoadAllFromString(file.Content, null, true)).Cast<IKubernetesObject>()];

    private static IList<YamlDocument> Parse(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return stream.Documents;
    }
}
