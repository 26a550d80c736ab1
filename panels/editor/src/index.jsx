import { PluginComponentType, registerComponent } from "@fiftyone/plugins";
import Editor from "./Editor.jsx";
import Place from "./Place.jsx";
import Work from "./Work.jsx";

registerComponent({
  name: "EvalsetsQuery",
  label: "Query",
  component: Editor,
  type: PluginComponentType.Component,
});

registerComponent({
  name: "EvalsetsWork",
  label: "Work",
  component: Work,
  type: PluginComponentType.Component,
});

registerComponent({
  name: "EvalsetsPlace",
  label: "Place",
  component: Place,
  type: PluginComponentType.Component,
});
