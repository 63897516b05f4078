// The models that are there, and the promise of the one that is on its way.
import type { Engine } from '../../contract/engine.ts';
import { findInCatalogue, isToy } from './catalogue.ts';
import type { ModelsFolder } from './models-folder.ts';
import type { Setup } from './setup.ts';

export function findInstalled(
  folder: ModelsFolder,
  { notReady }: Pick<Setup, 'notReady'>,
): Pick<Engine, 'listModels' | 'findModel' | 'defaultModel'> {
  /** The toy comes last: the first is what is taken where nobody names one. */
  const listModels: Engine['listModels'] = async () => {
    const models = (await folder.list()).map(({ model }) => model);
    const canChat = models.filter((model) => model.capabilities.includes('completion'));
    return canChat.toSorted((left, right) => Number(isToy(left.name)) - Number(isToy(right.name)));
  };
  return {
    listModels,
    async defaultModel() {
      const [first] = await listModels();
      if (first === undefined) throw notReady();
      return first;
    },
    async findModel(name) {
      const stored = await folder.find(name);
      if (stored !== null) return stored.model;
      // As long as there is none at all, what is fetched by itself is not missing, but not ready.
      const isAwaited = findInCatalogue(name) !== null && (await folder.list()).length === 0;
      if (isAwaited) throw notReady();
      return null;
    },
  };
}
